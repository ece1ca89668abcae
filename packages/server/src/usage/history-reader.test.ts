/** The days and clients that flushes write, by one or several nodes, and what is still in memory. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { bothDatabases, openTestDatabase } from '../../../../test/support/open-database.ts';
import { insertSecrets } from '../../../../test/support/stored-secrets.ts';
import type { Database } from '../database/open.ts';
import { SecretCache } from '../verification/secret-cache.ts';
import { addCount, emptyClientCounts, formatClients, maxClientNames, sortCounts } from './client-counts.ts';
import { postgresClients, sqliteClients } from './client-stores.ts';
import { type ClientStore, ClientWriter } from './client-writer.ts';
import { HistoryReader } from './history-reader.ts';
import { hourStart } from './hours.ts';
import { Pacer } from './pacer.ts';
import { PostgresUsageStore } from './postgres-store.ts';
import { UsageRecorder } from './recorder.ts';
import { SqliteUsageStore } from './store.ts';

/** Epoch hours: the last hour of a day. */
const lastHour = 24 * 20_000 - 1;

/** A node, which writes clients when `sample` is called. */
async function startNode(database: Database) {
  const pacer = new Pacer();
  pacer.hurry();
  const cache = new SecretCache({ valid: 100, rejected: 10 });
  const store =
    database.kind === 'sqlite' ? new SqliteUsageStore(database) : new PostgresUsageStore(database);
  const log = store instanceof SqliteUsageStore ? store.log : undefined;
  await log?.recover(cache.pending);
  const recorder = new UsageRecorder(store, cache, pacer, log);
  const clientStore = database.kind === 'sqlite' ? sqliteClients(database) : postgresClients(database);
  const clients = new ClientWriter(cache.pending.clients, clientStore, pacer);
  return { cache, recorder, clients, history: new HistoryReader(store, cache) };
}

const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, number) => total + number, 0);

for (const which of bothDatabases) {
  describe(`on ${which}`, async () => {
    const { database, close } = await openTestDatabase(which);
    after(close);
    const secrets = await insertSecrets(database, 3, 2);
    const [one, sibling] = secrets;
    assert.ok(one && sibling);

    test('each request is in the history once, before and after it is written', async () => {
      // Only one process uses a SQLite file.
      const nodes = [await startNode(database)];
      if (database.kind === 'postgres') nodes.push(await startNode(database), await startNode(database));
      const check = async (all: boolean) => {
        for (const { history } of all ? nodes : []) {
          const { outcomes, clients } = await history.key(one.keyId, lastHour, lastHour + 2);
          const of = (outcome: string, hour: number) =>
            sum(
              outcomes
                .filter((found) => found.outcome === outcome && found.hour === hour)
                .map((found) => found.requests),
            );
          const times = nodes.length;
          assert.deepEqual(
            [of('accepted', lastHour), of('accepted', lastHour + 1), of('insufficient_scope', lastHour)],
            [101 * times, 40 * times, 2 * times],
          );
          for (const { counts, other } of [clients.addresses, clients.programs])
            assert.equal(sum(counts.values()) + other, 141 * times);
          assert.ok(clients.addresses.counts.size <= 2 * maxClientNames);
          assert.deepEqual([...clients.programs.counts.keys()], ['worker/1']);
          assert.equal(clients.addresses.counts.get('203.0.113.1'), 40 * times);
        }
      };
      for (const { cache } of nodes) {
        for (let i = 0; i < 100; i++)
          one.use(cache, hourStart(lastHour), { address: `198.51.100.${i}`, agent: 'worker/1 (a)' });
        one.use(cache, hourStart(lastHour), { refused: true });
        sibling.use(cache, hourStart(lastHour), { address: '198.51.100.1', agent: 'worker/1' });
        sibling.use(cache, hourStart(lastHour), { refused: true });
        for (let i = 0; i < 40; i++)
          one.use(cache, hourStart(lastHour + 1), { address: '203.0.113.1', agent: 'worker/1 (b)' });
      }
      await check(nodes.length === 1);
      await Promise.all(nodes.map(({ recorder }) => recorder.flush()));
      await check(nodes.length === 1);
      await Promise.all(nodes.map(({ clients }) => clients.write()));
      await check(true);
      const rows = await database.kysely.selectFrom('usage_client').select('owner').execute();
      assert.deepEqual(rows.map(({ owner }) => owner).sort(), [one.keyId, one.keyId, 'ws_1', 'ws_1']);
    });

    test('the counts of a day are the sums of its hours', async () => {
      const hours = await database.kysely.selectFrom('usage_hour').select(['accepted', 'refused']).execute();
      const days = await database.kysely.selectFrom('usage_day').selectAll().execute();
      for (const prefix of ['key_', 'ws_']) {
        const of = (isAccepted: boolean) =>
          sum(
            days
              .filter(
                ({ owner, outcome }) => owner.startsWith(prefix) && (outcome === 'accepted') === isAccepted,
              )
              .flatMap(({ day: _day, owner: _owner, hash: _hash, outcome: _outcome, ...counts }) =>
                Object.values(counts),
              ),
          );
        assert.equal(of(true), sum(hours.map(({ accepted }) => accepted)));
        assert.equal(of(false), sum(hours.map(({ refused }) => refused)));
      }
    });

    test('clients that cannot be written are kept, and written once', async () => {
      const node = await startNode(database);
      const broken: ClientStore = { addClients: () => Promise.reject(new Error('the disk is full')) };
      const writer = new ClientWriter(node.cache.pending.clients, broken, new Pacer());
      sibling.use(node.cache, hourStart(lastHour + 48), { address: '192.0.2.1' });
      await node.recorder.flush();
      const check = async () => {
        const { clients } = await node.history.key(sibling.keyId, lastHour + 48, lastHour + 49);
        assert.deepEqual([...clients.addresses.counts], [['192.0.2.1', 1]]);
      };
      await assert.rejects(writer.write());
      await assert.rejects(writer.write());
      await check();
      // Read in each turn in which some are stored. A transaction stores as many as fit into a short time, so the clients of
      // the key and those of its workspace are offered one at a time.
      const reads: Promise<void>[] = [];
      const store = database.kind === 'sqlite' ? sqliteClients(database) : postgresClients(database);
      const observed: ClientStore = {
        addClients: (batch, stored) =>
          store.addClients(batch.slice(0, 1), (count) => {
            stored(count);
            reads.push(check());
          }),
      };
      await new ClientWriter(node.cache.pending.clients, observed, new Pacer()).write();
      assert.equal(reads.length, 2);
      await Promise.all(reads);
      await check();
    });

    test('an address that is busy over many days is named, although others are busier on each of them', async () => {
      const node = await startNode(database);
      const first = 21_000;
      for (const day of [first, first + 1, first + 2]) {
        const clients = emptyClientCounts();
        for (let i = 0; i < 40; i++) addCount(clients.addresses, `10.0.${day - first}.${i}`, 100);
        addCount(clients.addresses, '203.0.113.9', 60);
        await database.kysely
          .insertInto('usage_client')
          .values({ day, owner: one.keyId, clients: formatClients(clients) })
          .execute();
      }
      const { clients } = await node.history.key(one.keyId, first * 24, (first + 3) * 24);
      assert.deepEqual(sortCounts(clients.addresses)[0], ['203.0.113.9', 180]);
    });
  });
}
