/** The days and clients that flushes write, by one or several nodes, and what is still in memory. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { databases, openTestDatabase } from '../../../../test/support/open-database.ts';
import { insertSecrets } from '../../../../test/support/stored-secrets.ts';
import type { Database } from '../database/open.ts';
import { SecretCache } from '../verification/secret-cache.ts';
import { maxClients } from './client-counts.ts';
import { ClientDays } from './client-days.ts';
import { postgresClients, sqliteClients } from './client-stores.ts';
import { HistoryReader } from './history-reader.ts';
import { hourStart } from './hours.ts';
import { Pace } from './pace.ts';
import { PostgresUsageStore } from './postgres-store.ts';
import { UsageRecorder, type UsageSink } from './recorder.ts';
import { SqliteUsageStore } from './store.ts';

/** Epoch hours: the last hour of a day. */
const lastHour = 24 * 20_000 - 1;

/** A node, which writes clients when `sample` is called. */
async function startNode(database: Database) {
  const pace = new Pace();
  pace.hurry();
  const cache = new SecretCache({ valid: 100, rejected: 10 });
  const store =
    database.kind === 'sqlite' ? new SqliteUsageStore(database) : new PostgresUsageStore(database);
  const log = store instanceof SqliteUsageStore ? store.log : undefined;
  await log?.recover(cache.pending);
  const clients = new ClientDays(
    database.kind === 'sqlite' ? sqliteClients(database) : postgresClients(database),
    pace,
  );
  const write: UsageSink['write'] = (counts, durable, written) =>
    store.write(counts, durable, (count) => {
      written(count);
      clients.add(counts.slice(0, count));
    });
  const recorder = new UsageRecorder({ write }, cache, pace, log);
  return { cache, recorder, clients, history: new HistoryReader(store, recorder, clients) };
}

const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, number) => total + number, 0);

for (const which of databases.filter((name) => name !== 'postgres in a language')) {
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
          assert.ok(clients.addresses.counts.size <= maxClients);
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

    test('the days have what the hours have', async () => {
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
      const store = {
        addClients: async (): Promise<number> => Promise.reject(new Error('the disk is full')),
      };
      const pace = new Pace();
      pace.hurry();
      const clients = new ClientDays(store, pace);
      const node = await startNode(database);
      sibling.use(node.cache, hourStart(lastHour + 48), { address: '192.0.2.1' });
      clients.add(node.recorder.of(sibling.keyId));
      await assert.rejects(clients.write());
      await assert.rejects(clients.write());
      const { addresses } = clients.combine([], sibling.keyId, lastHour + 48, lastHour + 49);
      assert.deepEqual([...addresses.counts], [['192.0.2.1', 1]]);
    });
  });
}
