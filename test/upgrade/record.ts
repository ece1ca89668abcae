/**
 * Records data of a version, which data.test.ts uses with later versions. Run it in a checkout of that version, with
 * packages and dashboard built (`node scripts/prepare.mjs --build`) and a copy of this folder:
 *
 *     node test/upgrade/record.ts test/upgrade/0009.json.gz
 *
 * Servers of that version create all data through their interfaces, on both databases. 0009.json.gz is from commit
 * f7f1c68, the last one before the audit log. To view it: zcat test/upgrade/0009.json.gz
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { BackupFixture, kinds } from '../backup/fixture.ts';
import { clockEnvironment } from '../support/clock.ts';
import { bearer, call, Person } from '../support/person.ts';
import { createTemporaryDatabase } from '../support/postgres-database.ts';
import { type TestServer, testSecret } from '../support/server.ts';
import { dumpPostgres, dumpSqlite } from './dump.ts';
import { prefix, type Recording } from './recording.ts';

const hour = 3_600_000;
const createdSchema = z.object({ apiKey: z.string(), key: z.object({ id: z.string() }) });

/** Creates the data of one database: keys in the states of their names, and usage in two hours. */
class Recorder {
  readonly #fixture: BackupFixture;
  readonly #keys: Recording['keys'] = {};
  readonly #now = Date.now();

  constructor(fixture: BackupFixture) {
    this.#fixture = fixture;
  }

  async record(): Promise<Recording> {
    const first = await this.#start(this.#now - 3 * hour);
    const [ada, other] = [await first.signIn(), await first.signIn()];
    await ada.call('PATCH', '/v1/workspace', { rateLimit: 5000 });
    await this.#createKeys(first, ada);
    for (const [i, name] of ['live', 'parent', 'expired', 'revoked'].entries())
      await this.#use(first, name, i + 1, 'old/1');
    await ada.revoke(this.#idOf('revoked'));
    await this.#use(first, 'revoked', 2, 'thief/1');
    await other.call('POST', '/api/auth/sign-out', {});
    await first.kill('SIGTERM');

    const second = await this.#start(this.#now);
    const again = new Person(second.url, ada.cookie);
    await this.#use(second, 'live', 5, 'old/2');
    await this.#use(second, 'expired', 1, 'old/2');
    await this.#use(second, 'revoked', 1, 'thief/2');
    const backup = await this.#backUp();
    await again.revoke(this.#idOf('revokedLater'));
    const before = await this.#view(again);
    await second.kill('SIGTERM');
    return {
      at: this.#now,
      cookie: ada.cookie,
      keys: this.#keys,
      before,
      journal: readFileSync(join(this.#fixture.dataDir, 'dead-hashes'), 'utf8'),
      sql: await this.#dump(),
      backup,
    };
  }

  #start(time: number): Promise<TestServer> {
    return this.#fixture.start(this.#fixture.dataDir, { ...clockEnvironment(time), SOKU_SECRET: testSecret });
  }

  async #createKeys({ url }: TestServer, ada: Person): Promise<void> {
    const create = async (name: string, body: object, headers: Record<string, string>) => {
      const own = { ...headers, 'idempotency-key': `token of ${name}` };
      const { text } = await call(`${url}/v1/api-keys`, { method: 'POST', body, headers: own });
      const { apiKey, key } = createdSchema.parse(JSON.parse(text));
      this.#keys[name] = { id: key.id, secret: apiKey.slice(prefix.length) };
    };
    const [asAda, past, future] = [{ cookie: ada.cookie }, this.#now - hour, this.#now + 1000 * hour];
    await create('live', { name: `Ünï's "côde" 😀` }, asAda);
    const scopes = ['keys:read', 'keys:write'];
    await create('parent', { name: 'parent', scopes, rateLimit: 70 }, asAda);
    await create(
      'child',
      { name: 'child', scopes: ['keys:read'], rateLimit: 7 },
      bearer(this.#keyOf('parent')),
    );
    await create('expired', { name: 'expired', expiresAt: new Date(past).toISOString() }, asAda);
    await create('expiring', { name: 'expiring', expiresAt: new Date(future).toISOString() }, asAda);
    await create('unlimited', { name: 'unlimited', rateLimit: 'off' }, asAda);
    await create('revoked', { name: 'revoked' }, asAda);
    await create('revokedLater', { name: 'revoked after the backup' }, asAda);
  }

  async #use({ url }: TestServer, name: string, times: number, agent: string): Promise<void> {
    const headers = { ...bearer(this.#keyOf(name)), 'user-agent': agent };
    for (let i = 0; i < times; i++) await call(`${url}/v1/verify`, { headers });
  }

  #keyOf(name: string): string {
    return `${prefix}${this.#keys[name]?.secret}`;
  }

  #idOf(name: string): string {
    return this.#keys[name]?.id ?? '';
  }

  async #backUp(): Promise<string> {
    const file = this.#fixture.inBackupDir('backup');
    const { code, output } = await this.#fixture.operateAsProcess(['backup', file]);
    if (code !== 0) throw new Error(output);
    return dumpSqlite(file);
  }

  async #view(person: Person): Promise<Recording['before']> {
    const get = async (path: string) => (await person.call('GET', path)).body;
    const usage: Record<string, unknown> = {};
    for (const { id } of Object.values(this.#keys)) usage[id] = await get(`/v1/api-keys/${id}/usage`);
    return {
      list: await get('/v1/api-keys?status=all&limit=100'),
      workspace: await get('/v1/workspace'),
      usage,
    };
  }

  async #dump(): Promise<string> {
    const { DATABASE_URL: url } = this.#fixture.variables;
    if (url === undefined) return dumpSqlite(join(this.#fixture.dataDir, 'soku.db'));
    const empty = await createTemporaryDatabase();
    try {
      return await dumpPostgres(url, empty.url);
    } finally {
      await empty.drop();
    }
  }
}

const [file = ''] = process.argv.slice(2);
const recordings: Record<string, Recording> = {};
for (const kind of kinds) {
  const fixture = new BackupFixture(kind);
  if (kind === 'postgres') await fixture.freshDatabase();
  recordings[kind] = await new Recorder(fixture).record();
  await fixture.end();
}
writeFileSync(file, gzipSync(JSON.stringify(recordings, null, 1), { level: 9 }));
