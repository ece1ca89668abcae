/** A database of an earlier version stays usable, and its plaintext tokens are removed. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { Kysely, Migrator, PostgresDialect, type RawBuilder, sql } from 'kysely';
import { migrations } from '../../packages/server/src/database/migrate.ts';
import { createPool } from '../../packages/server/src/database/postgres-pool.ts';
import { NodeSqliteDialect } from '../../packages/server/src/database/sqlite-dialect.ts';
import { call, signCookie } from '../support/person.ts';
import { createTemporaryDatabase } from '../support/postgres-database.ts';
import { newDataDir, startServer, type TestServer, testSecret } from '../support/server.ts';

/** Tokens as the previous version stored them: so many that without a wipe some would remain in the file. */
const tokens = Array.from({ length: 1000 }, (_, i) => {
  return createHash('sha256').update(String(i)).digest('hex').slice(0, 32);
});

/** Creates a database with the schema that stored plaintext tokens, with an account and its sessions. */
async function fillBefore(db: Kysely<unknown>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  assert.equal((await migrator.migrateTo('0006-shared-counts')).error, undefined);
  const [now, later] = [new Date(), new Date(Date.now() + 1_000_000_000)].map((time) => time.toISOString());
  await db.transaction().execute(async (transaction) => {
    const run = (statement: RawBuilder<unknown>) => statement.execute(transaction);
    await run(sql`INSERT INTO "user" (id, name, email, "emailVerified", "createdAt", "updatedAt")
      VALUES ('usr_1', 'Ada', 'ada@example.com', ${sql.lit(false)}, ${now}, ${now})`);
    await run(sql`INSERT INTO workspace (id, name, created_at) VALUES ('ws_1', 'Old', 1)`);
    await run(sql`INSERT INTO workspace_member VALUES ('ws_1', 'usr_1', 'owner', 1)`);
    for (const [i, token] of tokens.entries()) {
      await run(sql`INSERT INTO session (id, "expiresAt", token, "createdAt", "updatedAt", "userId")
        VALUES (${`ses_${i}`}, ${later}, ${token}, ${now}, ${now}, 'usr_1')`);
    }
  });
}

async function assertSignedIn(server: TestServer): Promise<void> {
  for (const token of [tokens[0], tokens.at(-1)]) {
    const cookie = signCookie('soku_session', token ?? '', testSecret);
    const response = await call(`${server.url}/v1/api-keys`, { headers: { cookie } });
    assert.equal(response.status, 200, response.text);
  }
}

function dataDirectory(t: TestContext): string {
  const directory = newDataDir();
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test('sqlite: sessions of the previous version stay valid, and no file contains their tokens', async (t) => {
  const [old, dataDir] = [dataDirectory(t), dataDirectory(t)];
  const database = new DatabaseSync(join(old, 'soku.db'));
  // As after a killed process, the write-ahead log has pages that the file does not have.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0');
  await fillBefore(new Kysely<unknown>({ dialect: new NodeSqliteDialect(database) }));
  cpSync(old, dataDir, { recursive: true });
  database.close();
  const tokensInFiles = () => {
    const files = globSync('soku.db*', { cwd: dataDir }).map((name) =>
      readFileSync(join(dataDir, name), 'latin1'),
    );
    return tokens.filter((token) => files.some((content) => content.includes(token))).length;
  };
  assert.equal(tokensInFiles(), tokens.length);
  writeFileSync(join(dataDir, 'secret'), `${testSecret}\n`);
  const server = await startServer({ dataDir, database: 'sqlite' });
  t.after(() => server.stop());
  await assertSignedIn(server);
  assert.equal(tokensInFiles(), 0);
});

test('postgres: sessions of the previous version stay valid, and no row contains their tokens', async (t) => {
  const { url, drop } = await createTemporaryDatabase();
  t.after(drop);
  const pool = createPool({ connectionString: url });
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  await fillBefore(db);
  const server = await startServer({
    dataDir: dataDirectory(t),
    database: 'sqlite',
    env: { DATABASE_URL: url, SOKU_SECRET: testSecret },
  });
  t.after(() => server.stop());
  await assertSignedIn(server);
  const { rows } = await sql<{ token: string }>`SELECT token FROM session`.execute(db);
  await db.destroy();
  assert.equal(rows.length, tokens.length);
  for (const { token } of rows) assert.match(token, /^[0-9a-f]{64}$/);
});
