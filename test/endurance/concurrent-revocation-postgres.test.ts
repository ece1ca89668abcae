/** Revokes on PostgreSQL that run concurrently with other transactions, none of which sees uncommitted changes. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { generateKey, hashKey } from '@soku/key';
import pg from 'pg';
import { PostgresSecrets } from '../../packages/server/src/verification/postgres-secrets.ts';
import { openTestPostgres } from '../support/open-database.ts';
import { secretColumns } from './attacks.ts';
import { insertActiveKey, verifyWithoutCache } from './sqlite-fixture.ts';

const { url, database, close } = await openTestPostgres();
after(close);
await database.kysely.insertInto('workspace').values({ id: 'ws_a', name: 'a', created_at: 1 }).execute();

const neverCache = {
  beginRead: () => null,
  mayCache: () => false,
  trusts: () => true,
  whenTrusted: async () => true,
};
const verify = (apiKey: string) =>
  verifyWithoutCache(new PostgresSecrets(database.pool, neverCache, 'off'), apiKey);

const insertSecret = `INSERT INTO api_key_secret ${secretColumns} VALUES ($1, $2, 'sk_live_', 'a', 'b', 1)`;
const revoke = "UPDATE api_key SET revoked_at = 1, revoked_by = 'usr_1' WHERE id = $1";

/** Two database sessions, as of two nodes; an active key; and a second secret that is not stored yet. */
async function setUp(t: TestContext) {
  const [one, other] = [new pg.Client(url), new pg.Client(url)];
  t.after(() => Promise.all([one.end(), other.end()]));
  await Promise.all([one.connect(), other.connect()]);
  const key = await insertActiveKey(database, 'ws_a');
  const apiKey = generateKey();
  return { one, other, key, second: { apiKey, hash: await hashKey(apiKey) } };
}

/** Resolves when the session waits for a lock; fails if `statement` ends without waiting. */
async function waitsForLock(session: pg.Client, statement: Promise<unknown>): Promise<void> {
  let isDone = false;
  const done = () => {
    isDone = true;
  };
  statement.then(done, done);
  const query = 'SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = $2';
  const pid = 'processID' in session ? session.processID : undefined;
  while ((await database.pool.query(query, [pid, 'Lock'])).rows.length === 0) {
    assert.ok(!isDone, 'the statement did not wait');
    await turn();
  }
}

async function isRecordedAsRevoked(hash: Uint8Array): Promise<boolean> {
  const { rows } = await database.pool.query('SELECT 1 FROM dead_hash WHERE hash = $1', [hash]);
  return rows.length === 1;
}

test('a revoke also revokes a secret that another transaction is adding', async (t) => {
  const { one, other, key, second } = await setUp(t);
  await one.query('BEGIN');
  await one.query(insertSecret, [second.hash, key.id]);
  const revoked = other.query(revoke, [key.id]);
  await waitsForLock(other, revoked);
  await one.query('COMMIT');
  await revoked;
  assert.equal(await verify(second.apiKey), 'revoked_key');
  assert.ok(await isRecordedAsRevoked(second.hash));
  const { rows } = await database.pool.query('SELECT hashes FROM key_change ORDER BY seq DESC LIMIT 1');
  assert.equal(rows[0].hashes.length, 2, 'nodes that cached it are notified');
});

test('a secret that is added while its key is being revoked is rejected', async (t) => {
  const { one, other, key, second } = await setUp(t);
  await one.query('BEGIN');
  await one.query(revoke, [key.id]);
  const added = other.query(insertSecret, [second.hash, key.id]);
  await waitsForLock(other, added);
  await one.query('COMMIT');
  await added;
  assert.equal(await verify(second.apiKey), 'revoked_key');
  assert.equal(await verify(key.apiKey), 'revoked_key');
});

test('a hash that is recorded as revoked while a secret with it is being added stays revoked', async (t) => {
  const { one, other, key, second } = await setUp(t);
  await one.query('BEGIN');
  await one.query('INSERT INTO dead_hash (hash) VALUES ($1)', [second.hash]);
  await other.query(insertSecret, [second.hash, key.id]);
  await one.query('COMMIT');
  assert.equal(await verify(second.apiKey), 'revoked_key');
});

for (const level of ['REPEATABLE READ', 'SERIALIZABLE']) {
  test(`a revoke in ${level} that does not see the newest secret is rolled back completely`, async (t) => {
    const { one, other, key, second } = await setUp(t);
    await one.query(`BEGIN ISOLATION LEVEL ${level}`);
    await one.query('SELECT 1 FROM api_key');
    await other.query(insertSecret, [second.hash, key.id]);
    await one.query(revoke, [key.id]);
    await assert.rejects(one.query('COMMIT'), /soku: keys are changed in READ COMMITTED only/);
    assert.equal(await verify(key.apiKey), 'accepted');
    await other.query(revoke, [key.id]);
    assert.equal(await verify(second.apiKey), 'revoked_key');
    assert.ok(await isRecordedAsRevoked(second.hash));
  });

  test(`a ${level} transaction that read a key as active cannot undo its revocation`, async (t) => {
    const { one, other, key } = await setUp(t);
    await one.query(`BEGIN ISOLATION LEVEL ${level}`);
    await one.query('SELECT 1 FROM api_key');
    await other.query(revoke, [key.id]);
    await assert.rejects(one.query('UPDATE api_key SET revoked_at = NULL WHERE id = $1', [key.id]), {
      code: '40001',
    });
    await one.query('ROLLBACK');
    assert.equal(await verify(key.apiKey), 'revoked_key');
  });
}

test('twenty concurrent revokes and twenty new secrets of one key leave no valid secret', async () => {
  const key = await insertActiveKey(database, 'ws_a');
  const secrets = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const apiKey = generateKey({ prefix: 'sk_live_' });
      return { apiKey, hash: await hashKey(apiKey), order: randomBytes(1)[0] ?? 0 };
    }),
  );
  const work = secrets.flatMap(({ hash, order }) => [
    { order, run: () => database.pool.query(insertSecret, [hash, key.id]) },
    {
      order: 255 - order,
      run: () => database.pool.query(`${revoke} AND revoked_at IS NULL`, [key.id]),
    },
  ]);
  await Promise.all(work.toSorted((a, b) => a.order - b.order).map(({ run }) => run()));
  for (const { apiKey } of [key, ...secrets]) assert.equal(await verify(apiKey), 'revoked_key');
});
