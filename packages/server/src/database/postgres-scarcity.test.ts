/** PostgreSQL has no free connections: here because of the limit of a database, which gives the same error. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import pg from 'pg';
import { pino } from 'pino';
import { createTemporaryDatabase } from '../../../../test/support/postgres-database.ts';
import { TcpProxy } from '../../../../test/support/tcp-proxy.ts';
import { StartupError } from '../startup-error.ts';
import { openPostgres } from './postgres.ts';
import { createPool } from './postgres-pool.ts';

/** A database, and a function that limits its connections, besides that of the function. */
async function limitedDatabase(t: TestContext) {
  const { url, drop } = await createTemporaryDatabase();
  const owner = new pg.Client({ connectionString: url });
  await owner.connect();
  t.after(async () => {
    await owner.end();
    await drop();
  });
  const limit = (most: number) =>
    owner.query(`ALTER DATABASE ${new URL(url).pathname.slice(1)} CONNECTION LIMIT ${most + 1}`);
  return { url, limit };
}

test('when PostgreSQL has no free connections, statements wait for those of the pool', async (t) => {
  const { url, limit } = await limitedDatabase(t);
  await limit(2);
  const pool = createPool({ connectionString: url, max: 10 });
  t.after(() => pool.end());
  await pool.query('SELECT 1');
  await Promise.all(Array.from({ length: 20 }, () => pool.query('SELECT pg_sleep(0.01)')));
  assert.equal(pool.totalCount, 2);
});

test('a pool that has lost its connections and gets no new ones fails instead of retrying forever', async (t) => {
  const { url, limit } = await limitedDatabase(t);
  const proxy = await TcpProxy.before(url);
  t.after(() => proxy.close());
  const pool = createPool({ connectionString: proxy.url(url), max: 10 });
  t.after(() => pool.end());
  await Promise.all([1, 2].map(() => pool.query('SELECT 1')));
  await limit(0);
  proxy.dropSilently();
  pool.renew();
  await assert.rejects(pool.query('SELECT 1'), { code: '53300' });
});

test('a start waits for free connections, and logs a warning', async (t) => {
  const { url, limit } = await limitedDatabase(t);
  await limit(0);
  const refused = openPostgres(url, pino({ level: 'silent' }), { timeoutMs: 0, pauseMs: 0 });
  await assert.rejects(refused, (error) => {
    assert.ok(error instanceof StartupError && error.exitCode === 69);
    assert.match(error.message, /has no free connections; raise max_connections or close other connections/);
    return true;
  });
  const warned = Promise.withResolvers<string>();
  const heard = pino({ level: 'warn' }, { write: (line: string) => warned.resolve(line) });
  const opening = openPostgres(url, heard, { timeoutMs: 30_000, pauseMs: 20 });
  assert.match(await warned.promise, /PostgreSQL has no free connections \(53300\); retrying for up to 30 s/);
  await limit(10);
  await (await opening).close();
});
