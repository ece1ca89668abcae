/** The migrations of docs/import.md: the commands of the page export keys, and Soku then accepts them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { apiKey } from '@better-auth/api-key';
import { keyListSchema } from '@soku/contract/keys';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import pg from 'pg';
import { createPool } from '../packages/server/src/database/postgres-pool.ts';
import { codeBlocks } from './support/markdown.ts';
import { runOperatorInProcessOn } from './support/operator-in-process.ts';
import { bearer, call } from './support/person.ts';
import { createTemporaryDatabase } from './support/postgres-database.ts';
import { fillDataDir, newDataDir, root, startServer } from './support/server.ts';
import { openSession } from './support/session.ts';

const folder = mkdtempSync(join(tmpdir(), 'soku-import-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/**
 * The packages have neither psql nor sqlite3. These programs take the arguments that the page uses, and print the rows as
 * the real ones do.
 */
const csv = `
const print = (rows) => {
  const line = (cells) => console.log(cells.map((cell) => (cell === null ? '' : '"' + String(cell).replaceAll('"', '""') + '"')).join(','));
  line(Object.keys(rows[0]));
  for (const row of rows) line(Object.values(row));
};`;
const programs = {
  psql: `#!${process.execPath}
import pg from '${join(root, 'node_modules/pg/esm/index.mjs')}';${csv}
const [, query] = /^COPY \\(([^]*)\\) TO STDOUT WITH \\(FORMAT csv, HEADER\\)$/.exec(process.argv[4]);
const { PGTZ } = process.env;
const client = new pg.Client({ connectionString: process.argv[2], ...(PGTZ && { options: '-c TimeZone=' + PGTZ }) });
await client.connect();
print((await client.query(query)).rows);
await client.end();`,
  sqlite3: `#!${process.execPath}
import { DatabaseSync } from 'node:sqlite';${csv}
if (process.argv[2] !== '-header' || process.argv[3] !== '-csv') process.exit(1);
print(new DatabaseSync(process.argv[4]).prepare(process.argv[5]).all());`,
};
for (const [name, text] of Object.entries(programs)) {
  writeFileSync(join(folder, name), text);
  chmodSync(join(folder, name), 0o700);
}
writeFileSync(join(folder, 'package.json'), '{"type":"module"}');

/** Runs the command of the page and imports its file. @returns the server, which then runs */
async function migrate(example: string, env: Record<string, string>, prefixes: string) {
  const [command = ''] = codeBlocks('docs/import.md', `sh export=${example}`);
  const exported = spawnSync('bash', ['-euo', 'pipefail', '-c', command], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: `${folder}:${process.env.PATH}`, ...env },
  });
  assert.equal(exported.status, 0, exported.stderr);
  const dataDir = newDataDir();
  after(() => rmSync(dataDir, { recursive: true, force: true }));
  if (!(await fillDataDir(dataDir))) await (await startServer({ dataDir })).stop();
  const imported = await runOperatorInProcessOn(dataDir, ['import', join(folder, 'keys.csv')]);
  assert.equal(imported.code, 0, imported.output);
  const server = await startServer({ dataDir, env: { SOKU_IMPORTED_KEY_PREFIXES: prefixes } });
  after(() => server.stop());
  return { server, ada: await openSession(server), output: imported.output };
}

const statusOf = async (url: string, key: string) =>
  (await call(`${url}/v1/me`, { headers: bearer(key) })).status;

/** A real instance with the plugin, and keys that it has created. */
async function betterAuthKeys(database: DatabaseSync | pg.Pool, defaultPrefix?: string) {
  const auth = betterAuth({
    database,
    secret: randomBytes(32).toString('hex'),
    baseURL: 'http://localhost:3000',
    emailAndPassword: { enabled: true },
    telemetry: { enabled: false },
    plugins: [apiKey(defaultPrefix === undefined ? {} : { defaultPrefix })],
  });
  await (await getMigrations(auth.options)).runMigrations();
  const { user } = await auth.api.signUpEmail({
    body: { name: 'Ada', email: 'ada@example.com', password: 'correct horse battery' },
  });
  const create = (body: { name?: string; expiresIn?: number }) =>
    auth.api.createApiKey({ body: { userId: user.id, ...body } });
  const [plain, named, disabled] = [
    await create({}),
    await create({ name: 'Billing, EU', expiresIn: 7 * 24 * 60 * 60 }),
    await create({ name: 'off' }),
  ];
  await auth.api.updateApiKey({ body: { keyId: disabled.id, userId: user.id, enabled: false } });
  return { user, plain, named, disabled };
}

async function assertMigrated(
  { server, ada, output }: Awaited<ReturnType<typeof migrate>>,
  { user, plain, named, disabled }: Awaited<ReturnType<typeof betterAuthKeys>>,
): Promise<void> {
  assert.match(output, /^Imported 2 keys/);
  for (const { key } of [plain, named]) assert.equal(await statusOf(server.url, key), 200);
  assert.equal(await statusOf(server.url, disabled.key), 401);
  const { data } = keyListSchema.parse((await ada.call('GET', '/v1/api-keys?sort=name')).body);
  assert.deepEqual(
    data.map((key) => [key.name, key.externalId, key.preview]),
    [
      ['Billing, EU', user.id, `${named.key.slice(0, 6)}...`],
      [`Key ${plain.id}`, user.id, `${plain.key.slice(0, 6)}...`],
    ],
  );
  const [billing] = data;
  assert.equal(billing?.expiresAt, named.expiresAt?.toISOString());
  assert.equal(billing?.createdAt, named.createdAt.toISOString());
}

test('keys of better-auth with SQLite keep working', async () => {
  const keys = await betterAuthKeys(new DatabaseSync(join(folder, 'auth.db')));
  await assertMigrated(await migrate('better-auth-sqlite', {}, '*'), keys);
});

/** Many databases have the time zone of their company. */
async function databaseInTokyo() {
  const database = await createTemporaryDatabase();
  const client = new pg.Client(database.url);
  await client.connect();
  const name = client.escapeIdentifier(client.database ?? '');
  await client.query(`ALTER DATABASE ${name} SET timezone = 'Asia/Tokyo'`);
  await client.end();
  return database;
}

test('keys of better-auth with PostgreSQL keep working', async () => {
  const { url, drop } = await databaseInTokyo();
  const pool = createPool({ connectionString: url });
  after(async () => {
    await pool.end();
    await drop();
  });
  const keys = await betterAuthKeys(pool, 'acme_');
  await assertMigrated(await migrate('better-auth-postgres', { AUTH_DATABASE_URL: url }, 'acme_'), keys);
});

test('keys of a table of hashes keep working, and times without a zone are UTC', async () => {
  const { url, drop } = await databaseInTokyo();
  const client = new pg.Client(url);
  await client.connect();
  after(async () => {
    await client.end();
    await drop();
  });
  const tokens = ['one', 'two', 'revoked'].map((label) => ({
    label,
    token: `tok-${randomBytes(16).toString('hex')}`,
  }));
  await client.query(
    'CREATE TABLE api_tokens (label text, customer_id bigint, token_sha256 char(64), last_four text, created_at timestamp, revoked_at timestamptz)',
  );
  for (const [i, { label, token }] of tokens.entries()) {
    const hash = createHash('sha256').update(token).digest('hex');
    const revokedAt = label === 'revoked' ? new Date() : null;
    await client.query('INSERT INTO api_tokens VALUES ($1, $2, $3, $4, $5, $6)', [
      label,
      i,
      hash,
      token.slice(-4),
      '2024-05-06 07:08:09',
      revokedAt,
    ]);
  }
  const { server, ada } = await migrate('plain-postgres', { APP_DATABASE_URL: url }, 'tok-');
  const statuses = await Promise.all(tokens.map(({ token }) => statusOf(server.url, token)));
  assert.deepEqual(statuses, [200, 200, 401]);
  const { data } = keyListSchema.parse((await ada.call('GET', '/v1/api-keys?sort=name')).body);
  assert.deepEqual(
    data.map((key) => [key.name, key.externalId, key.createdAt, key.preview]),
    tokens
      .slice(0, 2)
      .map(({ label, token }, i) => [label, `${i}`, '2024-05-06T07:08:09.000Z', `...${token.slice(-4)}`]),
  );
});
