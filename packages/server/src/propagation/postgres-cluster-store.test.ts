/** What a node reads of a change, under different PostgreSQL settings. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, type TestContext, test } from 'node:test';
import { openTestPostgres } from '../../../../test/support/open-database.ts';
import { insertSecrets } from '../../../../test/support/stored-secrets.ts';
import { PostgresClusterStore, parseAck } from './postgres-cluster-store.ts';

/** Opens the store of a database of its own. */
async function openStore(t: TestContext) {
  const { database, close } = await openTestPostgres();
  const store = new PostgresClusterStore(database.connection);
  t.after(async () => {
    await store.close();
    await close();
  });
  return { database, store };
}

for (const format of ['hex', 'escape']) {
  test(`the hashes of a revoked key are read unchanged with bytea_output = ${format}`, async () => {
    const { database, close } = await openTestPostgres();
    await database.pool.query(`ALTER ROLE CURRENT_USER SET bytea_output = ${format}`);
    const [secret] = await insertSecrets(database, 1, 1);
    const store = new PostgresClusterStore(database.connection);
    after(async () => {
      await store.close();
      await close();
    });
    await store.register({ id: 'node', name: 'test', renewal: 'first' });
    const { seq, token } = await store.readHead();
    await database.pool.query(`UPDATE api_key SET revoked_at = 1, revoked_by = 'test'`);
    const { changes, head } = await store.sendHeartbeat({
      id: 'node',
      acked: { seq, token },
      renewal: 'second',
    });
    assert.equal(head.seq, seq + 1);
    assert.deepEqual(
      changes.map(({ kind, subject, hashes }) => [
        kind,
        subject,
        hashes.map((hash) => Buffer.from(hash).toString('latin1')),
      ]),
      [
        ['workspace', '', []],
        ['key', 'key_0', [secret?.hash]],
      ],
    );
  });
}

test('a renewal stores up to when the uses of the node are written, by the clock of the database', async (t) => {
  const { database, store } = await openStore(t);
  const acked = { seq: 0, token: '' };
  await store.register({ id: 'node', name: 'test', renewal: 'first', usageAgeMs: 300_000 });
  /** How old the oldest unwritten use may be, in minutes, as another node sees it. */
  const age = async (renewal: string | undefined, usageAgeMs: number | undefined) => {
    await store.sendHeartbeat({ id: 'node', acked, renewal, usageAgeMs });
    return storedAge();
  };
  const storedAge = async () => {
    const { rows } = await database.pool.query(
      'SELECT round(extract(epoch FROM clock_timestamp()) / 60 - usage_written_at / 60000.0)::integer AS age FROM verifier_node',
    );
    return rows[0]?.age;
  };
  assert.equal(await storedAge(), 5, 'a new row has it, too');
  assert.equal(await age('second', 600_000), 10);
  assert.equal(await age(undefined, 0), 10);
  assert.equal(await age('third', 0), 0);
  assert.equal(await age('fourth', undefined), null);
});

test('a heartbeat without a renewal only reads, and sends no notification', async (t) => {
  const { database, store } = await openStore(t);
  const acked = { seq: 0, token: '' };
  const read = () => store.sendHeartbeat({ id: 'node', acked, renewal: undefined });
  const row = async () => (await database.pool.query('SELECT xmin, * FROM verifier_node')).rows;
  assert.equal((await read()).registered, false);
  await store.register({ id: 'node', name: 'test', renewal: 'first' });
  const before = await row();
  const { registered, nodes } = await read();
  assert.equal(registered, true);
  assert.deepEqual(nodes, [{ id: 'node', name: 'test', ackedSeq: 0, renewal: 'first' }]);
  assert.deepEqual(await row(), before);
  assert.equal((await store.sendHeartbeat({ id: 'node', acked, renewal: 'second' })).registered, true);
  assert.notDeepEqual(await row(), before);
});

test('a fence removes a node only if it has not renewed since it was seen', async (t) => {
  const { store } = await openStore(t);
  const renew = (renewal: string) =>
    store.sendHeartbeat({ id: 'node', acked: { seq: 0, token: '' }, renewal });
  await store.register({ id: 'node', name: 'test', renewal: 'first' });
  await renew('second');
  assert.equal(await store.fence('node', 'first'), 'renewed');
  assert.equal((await renew('third')).registered, true);
  assert.equal(await store.fence('node', 'third'), 'deleted');
  assert.equal((await renew('fourth')).registered, false);
  assert.equal(await store.fence('node', 'third'), 'gone', 'another node has already removed it');
});

test('an acknowledgment is notified once, with the node and the change', async (t) => {
  const { database, close } = await openTestPostgres();
  const store = new PostgresClusterStore(database.connection);
  const listener = await database.pool.connect();
  t.after(async () => {
    listener.release();
    await store.close();
    await close();
  });
  await listener.query('LISTEN soku_ack');
  const payloads: (string | undefined)[] = [];
  listener.on('notification', ({ payload }) => payloads.push(payload));
  await store.register({ id: 'node', name: 'test', renewal: 'first' });
  const acked = { seq: 7, token: 'of the change' };
  const first = once(listener, 'notification');
  for (const renewal of ['second', 'third']) await store.sendHeartbeat({ id: 'node', acked, renewal });
  await first;
  const next = once(listener, 'notification');
  await store.sendHeartbeat({ id: 'node', acked: { ...acked, seq: 8 }, renewal: 'fourth' });
  await next;
  assert.deepEqual(
    payloads.map((payload) => parseAck(payload ?? '')),
    [
      { nodeId: 'node', renewal: 'first', ...acked },
      { nodeId: 'node', renewal: 'third', ...acked, seq: 8 },
    ],
  );
  for (const other of ['', '{}', 'null', '{"nodeId":"node","seq":"7"}'])
    assert.equal(parseAck(other), undefined);
});
