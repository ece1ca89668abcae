/** Compares what all nodes accept with a plain count, while nodes join and leave. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type GrantWorld,
  nodeAt,
  type WorldNode,
  worldWithShares,
} from '../../../../test/support/grant-world.ts';
import { runCount } from '../../../../test/support/run-count.ts';
import { weightedPrevious } from './sliding-window.ts';

const minute = 60_000;

/** The accepted requests of one key on all nodes, by the minute of the accepting node's clock. */
class Passed {
  readonly #limit: number;
  /** Maximum difference between a node's clock and the database's, in ms. */
  readonly #error: number;
  readonly #byMinute = new Map<number, number>();

  constructor(limit: number, error: number) {
    this.#limit = limit;
    this.#error = error;
  }

  in(of: number): number {
    return this.#byMinute.get(of) ?? 0;
  }

  /** Requests that should not have passed. */
  readonly violations: string[] = [];

  add(node: WorldNode): void {
    const time = node.time.of(node.now);
    const sum = this.in(node.minute) + 1;
    this.#byMinute.set(node.minute, sum);
    if (sum > this.#limit) this.violations.push(`${sum} of ${this.#limit} in a minute`);
    const unasked = Math.floor(this.#limit / 20);
    const inaccuracy = Math.ceil((this.#limit * this.#error) / minute);
    const slid = sum + weightedPrevious(this.in(node.minute - 1), minute - (time % minute));
    if (slid > this.#limit + unasked + inaccuracy) {
      this.violations.push(`${slid} of ${this.#limit} in a sliding minute`);
    }
  }
}

const kinds = [
  'requests',
  'requests',
  'requests',
  'time',
  'join',
  'leave',
  'cut',
  'remove',
  'heal',
  'sweep',
] as const;

const network = fc.record({
  delay: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 300 })),
  skew: fc.oneof(fc.constant(0), fc.integer({ min: -100 * minute, max: 100 * minute })),
});

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom(...kinds),
    node: fc.nat(5),
    network,
    count: fc.integer({ min: 1, max: 60 }),
    ms: fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 30_000 })),
  }),
  { maxLength: 30, size: 'max' },
);

type Step = typeof steps extends fc.Arbitrary<(infer T)[]> ? T : never;

const actions: Record<Step['kind'], (world: GrantWorld, node: WorldNode, step: Step) => unknown> = {
  requests: () => undefined,
  time: (world, _, { ms }) => world.advance(ms),
  join: (world, _, { network: how }) => world.join(how),
  sweep: (_, node) => node.keys.sweep(node.time.of(node.now)),
  heal: (_, node) => node.heal(),
  remove: (world, node) => node.holds() || world.database.nodes.delete(node.id),
  // The first node stays, so that a used share is always counted.
  cut: (world, node) => node === world.nodes[0] || node.cut(),
  leave: (world, node) => node === world.nodes[0] || node.leave(),
};

async function run(world: GrantWorld, step: Step, quota: number, passed: Passed): Promise<void> {
  const node = nodeAt(world, step.node);
  await actions[step.kind](world, node, step);
  if (step.kind !== 'requests') return;
  for (let i = 0; i < step.count; i++) void node.request(quota, () => passed.add(node));
  await world.advance(step.ms % 50);
}

test('with any requests, joins, leaves and outages, no minute exceeds the limit', async () => {
  const worlds = fc.array(network, { minLength: 1, maxLength: 4 });
  const quotas = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 400 }));
  await fc.assert(
    fc.asyncProperty(worlds, quotas, steps, async (nodes, quota, all) => {
      const world = await worldWithShares(...nodes);
      const passed = new Passed(quota, 600);
      for (const step of all) await run(world, step, quota, passed);
      await world.advance(2000);
      assert.deepEqual(passed.violations, []);
    }),
    { numRuns: runCount(30, 600) },
  );
});
