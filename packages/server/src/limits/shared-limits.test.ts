/** Several nodes with one database that a test steers; that it counts as the real one does, shared-windows.test.ts shows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { KeyLimits } from './key-limits.ts';
import { SharedLimits } from './shared-limits.ts';
import type { Telling } from './shared-windows.ts';
import { advance, minuteOf, take, type Window } from './sliding-window.ts';

const minute = 60_000;
const start = 29_500_000 * minute;

/** As the real one, in memory. Its clock is the one that counts. */
class Database {
  now = start;
  fault: 'none' | 'down' | 'answers lost' = 'none';
  asked = 0;
  readonly windows = new Map<string, Window>();

  async *read() {
    yield [...this.windows].map(([keyId, window]) => ({ keyId, ...window }));
  }

  async tell(tellings: readonly Telling[]) {
    await turn();
    this.asked += tellings.length;
    if (this.fault === 'down') throw new Error('down');
    const told = tellings.map((telling) => this.#tell(telling));
    const at = this.now;
    await turn();
    if (this.fault === 'answers lost') throw new Error('lost');
    return { at, told };
  }

  #tell({ keyId, passed, wanted, quota }: Telling) {
    const window = this.windows.get(keyId) ?? { minute: 0, current: 0, previous: 0 };
    this.windows.set(keyId, window);
    const own = { ...passed };
    for (const each of [window, own]) advance(each, this.now);
    window.current += own.current;
    window.previous += own.previous;
    let granted = 0;
    while (granted < wanted && take(window, 'key', quota, this.now).passed) granted += 1;
    return { keyId, ...window, granted };
  }
}

/** Nodes whose clocks differ from the database's. */
class World {
  readonly database = new Database();
  readonly nodes: { keys: KeyLimits; limits: SharedLimits; now: () => number }[] = [];
  readonly failures: unknown[] = [];
  #timers: (() => void)[] = [];
  /** How many nodes are thought to be there. Default: those that are. */
  size: number | undefined;

  async join(skew = 0): Promise<void> {
    const keys = new KeyLimits();
    const now = () => this.database.now + skew;
    const limits = new SharedLimits({
      keys,
      store: this.database,
      nodes: () => this.size ?? this.nodes.length,
      now,
      later: (run) => {
        this.#timers.push(run);
        return () => undefined;
      },
      failed: (error) => this.failures.push(error),
      recovered: () => this.failures.push('recovered'),
    });
    this.nodes.push({ keys, limits, now });
    await limits.start();
    await this.look();
  }

  /** All that waits for its time comes to it, and ends. */
  async look(): Promise<void> {
    const timers = this.#timers;
    this.#timers = [];
    for (const run of timers) run();
    for (let i = 0; i < 20; i++) await turn();
  }

  async request(index: number, quota: number): Promise<'passed' | 'refused' | 'unknown'> {
    const node = this.nodes[index];
    assert.ok(node !== undefined);
    const { keys, limits, now } = node;
    const window = keys.windowOf('key');
    const state = limits.take(window, 'key', quota, now()) ?? (await limits.ask(window, 'key', quota));
    if (state === undefined) return 'unknown';
    assert.ok(state.remaining >= 0 && state.resetSeconds >= 1 && state.resetSeconds <= 120);
    return state.passed ? 'passed' : 'refused';
  }

  /** `atOnce` of them in one turn, so that some come while others wait for the database; how many passed. */
  async passed(indexes: readonly number[], quota: number, atOnce = 5): Promise<number> {
    const asked: ReturnType<World['request']>[] = [];
    for (const [at, index] of indexes.entries()) {
      asked.push(this.request(index, quota));
      if ((at + 1) % atOnce === 0) await turn();
    }
    const answers = await Promise.all(asked);
    return answers.filter((answer) => answer === 'passed').length;
  }
}

const skews = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: -100 * minute, max: 100 * minute })), {
  minLength: 2,
  maxLength: 4,
});
const bursts = fc.array(fc.array(fc.nat(3), { maxLength: 60 }), { maxLength: 12 });

async function worldOf(clocks: readonly number[]): Promise<World> {
  const world = new World();
  world.size = clocks.length;
  for (const skew of clocks) await world.join(skew);
  return world;
}

test('however requests come to nodes, and whatever their clocks, the limit passes and at most a twentieth more', async () => {
  await fc.assert(
    fc.asyncProperty(skews, fc.integer({ min: 1, max: 400 }), bursts, async (clocks, quota, all) => {
      const world = await worldOf(clocks);
      const size = clocks.length;
      let passed = 0;
      for (const burst of all) {
        world.database.now += 100;
        passed += await world.passed(
          burst.map((index) => index % size),
          quota,
        );
      }
      const everybody = clocks.flatMap((_, index) => Array<number>(quota + 1).fill(index));
      passed += await world.passed(everybody, quota);
      assert.ok(passed >= quota, `${passed} of ${quota}`);
      assert.ok(passed <= quota + size * Math.floor(quota / (20 * size)), `${passed} of ${quota}`);
    }),
    { numRuns: 60 },
  );
});

test('of a key that is used little the database hears nothing', async () => {
  const world = await worldOf([0, 0]);
  assert.equal(await world.passed(Array<number>(25).fill(0), 1000), 25);
  await world.look();
  const told = world.database.asked;
  const other = await worldOf([0, 0]);
  assert.equal(await other.passed(Array<number>(12).fill(0), 1000), 12);
  await other.look();
  assert.deepEqual([told > 0, other.database.asked], [true, 0]);
});

test('what passed on a node alone is told when another one joins, in the minute in which it passed', async () => {
  const world = new World();
  await world.join();
  assert.equal(await world.passed(Array<number>(30).fill(0), 50), 30);
  world.database.now += minute;
  assert.equal(await world.passed([0, 0, 0], 50), 3);
  assert.equal(world.database.asked, 0);
  await world.join();
  assert.deepEqual(world.database.windows.get('key'), {
    minute: minuteOf(world.database.now),
    current: 3,
    previous: 30,
  });
  assert.equal(await world.passed(Array<number>(50).fill(1), 50), 50 - 33);
});

test('so is what passed after a start, before the first look that knew how many nodes there are', async () => {
  const world = new World();
  world.size = 0;
  await world.join();
  world.size = 1;
  assert.equal(await world.passed(Array<number>(30).fill(0), 30), 30);
  world.size = 2;
  await world.join();
  assert.equal(world.database.windows.get('key')?.current, 30);
  assert.equal(await world.passed(Array<number>(30).fill(1), 30), 0);
});

test('of many nodes one that alone is asked lets pass exactly the limit, however its requests come', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 400 }),
      fc.integer({ min: 1, max: 40 }),
      async (quota, atOnce) => {
        const world = await worldOf([0, 0]);
        assert.equal(await world.passed(Array<number>(2 * quota).fill(0), quota, atOnce), quota);
      },
    ),
  );
});

test('while the database is down each node lets pass its part, and then does not know; afterwards it tells', async () => {
  const world = await worldOf([0, 0]);
  assert.equal(await world.passed([0], 30), 1);
  world.database.fault = 'down';
  const answers: string[] = [];
  for (let i = 0; i < 20; i++) answers.push(await world.request(0, 30));
  assert.deepEqual(answers, [...Array(15).fill('passed'), ...Array(5).fill('unknown')]);
  assert.equal(world.failures.length, 1);
  world.database.fault = 'none';
  await world.look();
  assert.equal(world.failures[1], 'recovered');
  const passed = (await world.passed([0], 30)) + (await world.passed(Array<number>(40).fill(1), 30));
  assert.equal(passed, 30 - 16);
});

test('answers that are lost make a limit stricter, never looser', async () => {
  const world = await worldOf([0, 0]);
  let passed = await world.passed([0, 1], 100);
  world.database.fault = 'answers lost';
  passed += await world.passed([0, 0, 0, 1, 1, 1], 100);
  world.database.fault = 'none';
  await world.look();
  passed += await world.passed([...Array<number>(150).fill(0), ...Array<number>(150).fill(1)], 100);
  assert.ok(passed > 80 && passed <= 100 + 2 * 2, `${passed}`);
});

test('a stop tells everything, also when it has to be tried again', async () => {
  const world = await worldOf([0, 0]);
  await world.passed(Array<number>(5).fill(0), 1000);
  world.database.fault = 'down';
  const [node] = world.nodes;
  await assert.rejects(async () => node?.limits.stop(), /does not answer/);
  world.database.fault = 'none';
  await node?.limits.stop();
  await node?.limits.stop();
  assert.equal(world.database.windows.get('key')?.current, 5);
});
