/**
 * Verifies keys with better-auth's API key plugin, in process, and prints the rate in thousands per second. Its
 * database has the same settings as Soku's, and its limit is on and never reached.
 *
 *   node bench/programs/better-auth.ts KEYS SECONDS
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { apiKey } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';

const [keyCount = '', seconds = ''] = process.argv.slice(2);
using directory = mkdtempDisposableSync(join(tmpdir(), 'better-auth-'));
const database = new DatabaseSync(join(directory.path, 'auth.db'));
database.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA foreign_keys = ON;
`);
const auth = betterAuth({
  database,
  secret: randomBytes(32).toString('hex'),
  baseURL: 'http://localhost:3000',
  emailAndPassword: { enabled: true },
  telemetry: { enabled: false },
  plugins: [apiKey({ rateLimit: { enabled: true, timeWindow: 60_000, maxRequests: 1_000_000_000 } })],
});
await (await getMigrations(auth.options)).runMigrations();
const keys = await createKeys(Number(keyCount));

/** The library creates one key; the others are copies of its row, because creating each takes minutes for thousands. */
async function createKeys(count: number): Promise<string[]> {
  const { user } = await auth.api.signUpEmail({
    body: { name: 'Ada', email: 'ada@example.com', password: 'correct horse battery' },
  });
  const first = await auth.api.createApiKey({ body: { name: 'Bench', userId: user.id } });
  const columns = database
    .prepare("SELECT name FROM pragma_table_info('apikey') WHERE name NOT IN ('id', 'key', 'start')")
    .all()
    .map(({ name }) => `"${name}"`)
    .join(', ');
  const copy = database.prepare(
    `INSERT INTO apikey (id, key, start, ${columns}) SELECT ?, ?, ?, ${columns} FROM apikey WHERE id = ?`,
  );
  const created = [first.key];
  database.exec('BEGIN');
  while (created.length < count) {
    const key = randomBytes(48).toString('base64url');
    const hash = createHash('sha256').update(key).digest('base64url');
    copy.run(randomBytes(24).toString('base64url'), hash, key.slice(0, 6), first.id);
    created.push(key);
  }
  database.exec('COMMIT');
  return created;
}

/** @returns verifications per ms */
async function run(ms: number): Promise<number> {
  const began = performance.now();
  for (let done = 0; ; done++) {
    const took = performance.now() - began;
    if (took >= ms) return done / took;
    const key = keys[Math.floor(Math.random() * keys.length)] ?? '';
    const { valid } = await auth.api.verifyApiKey({ body: { key } });
    if (!valid) throw new Error('a valid key was rejected');
  }
}

await run(3000);
console.log(await run(Number(seconds) * 1000));
database.close();
