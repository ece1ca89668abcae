/** Two nodes with the same keys, and a connection that loses responses or delivers abandoned statements late. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { openTestPostgres } from '../../../../test/support/open-database.ts';
import { runCount } from '../../../../test/support/run-count.ts';
import { insertSecrets, Secret } from '../../../../test/support/stored-secrets.ts';
import type { PostgresDatabase } from '../database/postgres.ts';
import { SecretCache } from '../verification/secret-cache.ts';
import { HistoryReader } from './history-reader.ts';
import { hourStart } from './hours.ts';
import { Pacer } from './pacer.ts';
import { PostgresUsageStore } from './postgres-store.ts';
import { UsageReader } from './reader.ts';
import { UsageRecorder } from './recorder.ts';

const { database, close } = await openTestPostgres();
after(close);
const secrets = await insertSecrets(database, 3, 2);
const firstHour = 400_000;

async function emptyTables(): Promise<void> {
  const counts = ['usage_hour', 'usage_day', 'usage_client', 'usage_total', 'usage_refusal'] as const;
  for (const table of [...counts, 'last_use', 'usage_writer'] as const) {
    await database.kysely.deleteFrom(table).execute();
  }
}

/** What happens to the statements of the next flush. */
type Fault = 'none' | 'not sent' | 'response lost' | 'sent later';

/** The same database over a connection that can be broken. */
class Network {
  fault: Fault = 'none';
  /** Called when a statement has reached the database, before its response arrives. */
  meanwhile: () => Promise<void> = async () => undefined;
  readonly database: PostgresDatabase;
  #late: (() => Promise<unknown>)[] = [];

  constructor() {
    const pool = new Proxy(database.pool, {
      get: (target, name) =>
        name === 'query' ? (...args: [string]) => this.#query(args) : Reflect.get(target, name, target),
    });
    this.database = { ...database, pool };
  }

  /** Delivers an abandoned statement. */
  async deliverLate(): Promise<void> {
    const late = this.#late;
    this.#late = [];
    for (const send of late) await send();
  }

  async #query(args: [string]): Promise<unknown> {
    const send = () => database.pool.query(...args);
    if (this.fault === 'sent later') this.#late.push(send);
    if (this.fault === 'not sent' || this.fault === 'sent later') throw new Error('connection lost');
    const response = await send();
    await this.meanwhile();
    if (this.fault === 'response lost') throw new Error('connection lost');
    return response;
  }
}

/** A node with its own counts of the same secrets. */
function newNode() {
  const network = new Network();
  const store = new PostgresUsageStore(network.database);
  const pacer = new Pacer();
  pacer.hurry();
  const cache = new SecretCache({ valid: 4, rejected: 1 });
  const recorder = new UsageRecorder(store, cache, pacer);
  return { network, store, cache, recorder, reader: new UsageReader(store, recorder) };
}

type Node = ReturnType<typeof newNode>;

async function acceptedBy({ reader }: Node, keyId: string): Promise<number> {
  const { hours } = await reader.usage('ws_1', keyId, firstHour, firstHour + 50);
  return hours.reduce((sum, { accepted }) => sum + accepted, 0);
}

const step = fc.oneof(
  {
    arbitrary: fc.record({ kind: fc.constant('use' as const), node: fc.nat(1), secret: fc.nat(5) }),
    weight: 4,
  },
  fc.record({ kind: fc.constant('time' as const), minutes: fc.integer({ min: 1, max: 70 }) }),
  fc.record({
    kind: fc.constant('flush' as const),
    node: fc.nat(1),
    fault: fc.constantFrom<Fault>('none', 'not sent', 'response lost', 'sent later'),
    meanwhile: fc.nat(5),
  }),
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Two nodes and the expected counts. */
class World {
  readonly clock = { now: hourStart(firstHour) };
  readonly nodes = [newNode(), newNode()] as const;
  readonly #used = new Map<string, number>();
  #last = 0;

  async take(step: Step): Promise<void> {
    if (step.kind === 'time') this.clock.now += step.minutes * 60_000;
    else if (step.kind === 'use') this.#use(step.node, step.secret);
    else await this.#flush(step);
  }

  #use(index: number, secret: number): void {
    this.clock.now += 1;
    this.#last = this.clock.now;
    const node = this.nodes[index];
    const { keyId = '' } = secrets[secret] ?? {};
    if (node !== undefined) secrets[secret]?.use(node.cache, this.clock.now);
    this.#used.set(keyId, (this.#used.get(keyId) ?? 0) + 1);
  }

  async #flush({ node, fault, meanwhile }: Step & { kind: 'flush' }): Promise<void> {
    const { network, recorder } = this.nodes[node] ?? this.nodes[0];
    Object.assign(network, { fault, meanwhile: async () => this.#use(node, meanwhile) });
    await recorder.flush().catch((error) => assert.match(String(error), /connection lost/));
    Object.assign(network, { fault: 'none', meanwhile: async () => undefined });
  }

  async assertSeenBy(node: Node, when: string): Promise<void> {
    for (const [keyId, count] of this.#used) assert.equal(await acceptedBy(node, keyId), count, when);
  }

  async assertStored(): Promise<void> {
    const { rows } = await database.pool.query(
      'SELECT coalesce(sum(accepted), 0) AS uses, (SELECT coalesce(max(at), 0) FROM last_use) AS at FROM usage_hour',
    );
    const uses = [...this.#used.values()].reduce((sum, count) => sum + count, 0);
    assert.deepEqual([Number(rows[0].uses), rows[0].at], [uses, this.#last]);
    const totals = await database.pool.query('SELECT outcome, sum(requests) FROM usage_total GROUP BY 1');
    assert.deepEqual(
      totals.rows.map(({ outcome, sum }) => [outcome, Number(sum)]),
      uses === 0 ? [] : [['accepted', uses]],
    );
    const history = new HistoryReader(this.nodes[0].store, this.nodes[0].cache);
    for (const [keyId, count] of [...this.#used, ['ws_1', uses] as const]) {
      const { outcomes } = await history.key(keyId, firstHour, firstHour + 50);
      assert.equal(
        outcomes.reduce((sum, { requests }) => sum + requests, 0),
        count,
        `days of ${keyId}`,
      );
    }
  }
}

test('each use counts once, even if responses are lost or a write has an unknown outcome', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30, size: 'max' }), async (steps) => {
      await emptyTables();
      const world = new World();
      const [one, other] = world.nodes;
      for (const next of steps) await world.take(next);
      await other.recorder.flush();
      await world.assertSeenBy(one, 'however its last flush ended');
      await one.recorder.flush();
      for (const { network } of world.nodes) await network.deliverLate();
      await world.assertSeenBy(other, 'when both have written');
      await world.assertStored();
    }),
    { numRuns: runCount(20, 600) },
  );
});

test('a read during a write sees each use once', async () => {
  await emptyTables();
  const clock = { now: hourStart(firstHour) };
  const node = newNode();
  for (const secret of secrets) secret.use(node.cache, clock.now);
  const seen: number[] = [];
  node.network.meanwhile = async () => {
    seen.push(await acceptedBy(node, 'key_0'));
  };
  const flushing = node.recorder.flush();
  const looks = Array.from({ length: 20 }, () => acceptedBy(node, 'key_0'));
  await flushing;
  seen.push(...(await Promise.all(looks)));
  assert.ok(seen.length > 20);
  assert.deepEqual([...new Set(seen)], [2]);
});

test('the last use is the newest of all nodes, with its own address', async () => {
  await emptyTables();
  const clock = { now: hourStart(firstHour) };
  const nodes = [newNode(), newNode()];
  const use = (index: number, address: string) => {
    clock.now += 1;
    const node = nodes[index];
    if (node !== undefined) secrets[0]?.use(node.cache, clock.now, { address });
  };
  const lastAddress = async () => {
    for (const { recorder } of nodes) await recorder.flush();
    return (await nodes[0]?.reader.usage('ws_1', 'key_0', firstHour, firstHour + 1))?.lastUse?.address;
  };
  use(0, '203.0.113.1');
  assert.equal(await lastAddress(), '203.0.113.1');
  use(1, '203.0.113.2');
  assert.equal(await lastAddress(), '203.0.113.2');
  use(0, '203.0.113.1');
  assert.equal(await lastAddress(), '203.0.113.1', 'also when this node has written that address before');
  use(1, '203.0.113.2');
  use(0, '203.0.113.1');
  nodes.reverse();
  assert.equal(await lastAddress(), '203.0.113.1', 'what is written late is not newer');
});

test('a database that lost the record of this node still gets its uses', async () => {
  await emptyTables();
  const clock = { now: hourStart(firstHour) };
  const node = newNode();
  const use = () => secrets[0]?.use(node.cache, clock.now);
  use();
  await node.recorder.flush();
  await database.kysely.deleteFrom('usage_writer').execute();
  use();
  assert.equal(await acceptedBy(node, 'key_0'), 2);
  await assert.rejects(node.recorder.flush(), /has lost a usage write/);
  await node.recorder.flush();
  assert.equal(await acceptedBy(node, 'key_0'), 2);
});

test('a key that the database lost does not block the usage of other keys', async () => {
  await emptyTables();
  const clock = { now: hourStart(firstHour) };
  const node = newNode();
  const lost = new Secret('key_lost', 'x'.repeat(32));
  for (const secret of [lost, ...secrets]) secret.use(node.cache, clock.now);
  await node.recorder.flush();
  const { rows } = await database.pool.query(
    'SELECT key_id, sum(accepted) FROM usage_hour GROUP BY 1 ORDER BY 1',
  );
  assert.deepEqual(
    rows.map(({ key_id: keyId, sum }) => [keyId, Number(sum)]),
    [
      ['key_0', 2],
      ['key_1', 2],
      ['key_2', 2],
    ],
  );
  lost.use(node.cache, clock.now);
  await node.recorder.flush();
});

test('counts are deleted by age in batches; the last use stays', async () => {
  await emptyTables();
  const [secret] = secrets;
  assert.ok(secret !== undefined);
  const insert = (hours: string) =>
    database.pool.query(
      `INSERT INTO usage_hour SELECT hour, $1, $2, 1, 0, NULL FROM generate_series(${hours}) AS hour`,
      [secret.keyId, Buffer.from(secret.hash, 'latin1')],
    );
  await insert('1, 7000');
  // Statistics of a table with almost empty pages, which make PostgreSQL choose other plans.
  await database.pool.query('DELETE FROM usage_hour WHERE hour > 1');
  await database.pool.query('VACUUM (ANALYZE, TRUNCATE false) usage_hour');
  await insert('2, 7000');
  const store = new PostgresUsageStore(database);
  assert.equal(await store.prune(6000), true);
  assert.equal(await store.prune(6000), false);
  const { rows } = await database.pool.query('SELECT min(hour) AS hour, count(*) FROM usage_hour');
  assert.deepEqual(rows[0], { hour: 6000, count: 1001 });
  await database.pool.query(
    `INSERT INTO usage_total VALUES (5999, 'ws_1', 'accepted', 1), (6000, 'ws_1', 'accepted', 1);
     INSERT INTO usage_refusal VALUES (5999, 'ws_1', 'key_0', 'other', 1), (6000, 'ws_1', 'key_0', 'other', 1);
     INSERT INTO usage_day (day, owner, hash, outcome) VALUES (249, 'ws_1', '', 'accepted'), (250, 'ws_1', '', 'accepted');
     INSERT INTO usage_client VALUES (249, 'ws_1', ''), (250, 'ws_1', '')`,
  );
  assert.equal(await store.prune(6000), false);
  for (const table of ['usage_total', 'usage_refusal']) {
    const left = await database.pool.query(`SELECT hour FROM ${table}`);
    assert.deepEqual(left.rows, [{ hour: 6000 }], table);
  }
  for (const table of ['usage_day', 'usage_client']) {
    const left = await database.pool.query(`SELECT day FROM ${table}`);
    assert.deepEqual(left.rows, [{ day: 250 }], table);
  }
});
