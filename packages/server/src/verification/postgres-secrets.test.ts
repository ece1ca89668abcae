/** Reads of secrets that are not cached, from a real PostgreSQL with a locked table while they must wait. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import pg from 'pg';
import { openTestPostgres, waitUntilBlocked } from '../../../../test/support/open-database.ts';
import { insertSecrets } from '../../../../test/support/stored-secrets.ts';
import { serverInstanceSql } from '../database/postgres-pool.ts';
import { PostgresSecrets } from './postgres-secrets.ts';

const { url, database, close } = await openTestPostgres();
const { pool, verificationPool } = database;
after(close);
const [first, second, ...others] = (await insertSecrets(database, 20, 1)).map(({ hash }) => hash);
assert.ok(first !== undefined && second !== undefined);

/** A secret source that counts its statements. */
function secrets() {
  let sent = 0;
  const guard = {
    beginRead: () => ++sent,
    mayCache: () => true,
    trusts: () => true,
    whenTrusted: async () => true,
  };
  return { secrets: new PostgresSecrets(verificationPool, guard, 'off'), sent: () => sent };
}

/** Blocks every statement until `work` has returned its promises. */
async function whileLocked<T>(work: () => Promise<T>[]): Promise<PromiseSettledResult<T>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('BEGIN; LOCK TABLE api_key_secret IN ACCESS EXCLUSIVE MODE');
  const settled = Promise.allSettled(work());
  await client.query('COMMIT');
  await client.end();
  return settled;
}

test('no request joins a read that was sent; waiting requests share the next one', async () => {
  const { secrets: source, sent } = secrets();
  const again = [first, first, first, first, first, first, second, second];
  const all = await whileLocked(() => again.map((hash) => source.read(hash)));
  // At most four are in flight, each sent after its request; the other four requests are batched.
  assert.equal(sent(), 5);
  for (const [i, hash] of again.entries()) {
    const read = all[i];
    assert.ok(read?.status === 'fulfilled' && read.value.stored !== undefined && 'key' in read.value.stored);
    assert.equal(read.value.stored.key.keyId, hash === first ? 'key_0' : 'key_1');
  }
});

test('a row is parsed, with a scope of a newer version and a retirement time', async () => {
  await pool.query(`UPDATE api_key SET scopes = 'keys:read of:tomorrow' WHERE id = 'key_1'`);
  await pool.query(`UPDATE api_key_secret SET retires_at = 5 WHERE key_id = 'key_1'`);
  const source = secrets().secrets;
  const { stored } = await source.read(second);
  assert.ok(stored !== undefined && 'key' in stored);
  assert.deepEqual(stored.key.scopes, ['keys:read', 'of:tomorrow']);
  assert.equal(stored.key.retiresAt, 5);
  await pool.query(`UPDATE api_key_secret SET retired_at = 6 WHERE key_id = 'key_1'`);
  const ended = { standing: 'retired', since: 6, keyId: 'key_1', workspaceId: 'ws_1' };
  assert.deepEqual((await source.read(second)).stored, { ended });
});

test('the number of waiting verifications is limited', async () => {
  const { secrets: source } = secrets();
  const all = await whileLocked(() => Array.from({ length: 10_010 }, () => source.read(first)));
  const refused = all.flatMap((read) => (read.status === 'rejected' ? [String(read.reason)] : []));
  assert.deepEqual(
    refused,
    Array.from({ length: 10 }, () => 'Error: too many verifications are waiting for the database'),
  );
  assert.equal((await source.read(first)).stored !== undefined, true);
});

test('when the database cancels a read, waiting requests fail at once', async () => {
  const { secrets: source, sent } = secrets();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('BEGIN; LOCK TABLE api_key_secret IN ACCESS EXCLUSIVE MODE');
  const underWay = [first, first, first, first].map((hash) => source.read(hash));
  const all = Promise.allSettled(underWay);
  const waiting = Promise.allSettled([first, ...others].map((hash) => source.read(hash)));
  await waitUntilBlocked(database, underWay);
  // Cancels one statement, as statement_timeout would; the others still wait for the lock.
  await client.query(
    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' LIMIT 1",
  );
  await assert.rejects(Promise.race(underWay), /canceling statement/);
  // Requests that have not failed by now succeed after this.
  await client.query('COMMIT');
  await client.end();
  assert.ok((await waiting).every(({ status }) => status === 'rejected'));
  assert.equal((await all).filter(({ status }) => status === 'rejected').length, 1);
  assert.equal(sent(), 4, 'no further statement was sent');
});

/** A guard that trusts only the instance `trusted`, and calls `compare` where the node waits for the comparison. */
function guardOf(trusted: { instance: string }, compare: (ms: number) => Promise<boolean>) {
  let sent = 0;
  const guard = {
    beginRead: () => ++sent,
    mayCache: () => true,
    trusts: (instance: string) => instance === trusted.instance,
    whenTrusted: compare,
  };
  return { source: new PostgresSecrets(verificationPool, guard, 'off'), sent: () => sent };
}

test('a read of an instance that is not compared yet waits, and then reads again', async () => {
  const { rows } = await pool.query<{ instance: string }>(`SELECT ${serverInstanceSql} AS instance`);
  const trusted = { instance: 'the former one' };
  const { source, sent } = guardOf(trusted, async () => {
    await pool.query(`UPDATE api_key SET scopes = 'of:now' WHERE id = 'key_0'`);
    trusted.instance = rows[0]?.instance ?? '';
    return true;
  });
  const { stored } = await source.read(first);
  assert.ok(stored !== undefined && 'key' in stored);
  assert.deepEqual(stored.key.scopes, ['of:now'], 'the result from before the comparison decides nothing');
  assert.equal(sent(), 2);
});

test('a read fails when the instance was not compared in time', async () => {
  const waits: number[] = [];
  const { source, sent } = guardOf({ instance: 'the former one' }, async (ms) => {
    waits.push(ms);
    return false;
  });
  await assert.rejects(source.read(first), /has not compared its revocation journal/);
  assert.equal(sent(), 1, 'it is not read again, because that would decide nothing either');
  assert.ok(waits.length === 1 && Number(waits[0]) < 1500, `${waits} ms after the first read`);
});

test('a read fails when a third instance responds after the comparison', async () => {
  const { source, sent } = guardOf({ instance: 'the former one' }, async () => true);
  await assert.rejects(source.read(first), /has not compared its revocation journal/);
  assert.equal(sent(), 2);
});
