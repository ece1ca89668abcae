import { setImmediate } from 'node:timers/promises';
import type { ChangeEntry } from '../../packages/server/src/propagation/cluster-store.ts';
import { type NodeOptions, VerifierNode } from '../../packages/server/src/propagation/node.ts';
import { Database } from './database.ts';
import { FaultInjector } from './fault-injector.ts';
import { Host } from './host.ts';
import { Random } from './random.ts';
import { SimulatedClusterStore } from './simulated-cluster-store.ts';
import { World } from './world.ts';

const leaseMs = 2000;

/** Nodes in a world without faults, except for those that a test causes. */
export class FaultFreeWorld {
  readonly leaseMs = leaseMs;
  readonly world: World;
  readonly database: Database;
  readonly #faultInjector: FaultInjector;

  constructor() {
    const random = new Random(1);
    this.world = new World(random);
    this.#faultInjector = new FaultInjector(random, 800, 'none');
    this.database = new Database(this.world, this.#faultInjector);
  }

  /** A node that has not been started, its host, and the calls that it made. */
  node(name: string, changed: Partial<NodeOptions> = {}) {
    const { world, database } = this;
    const host = new Host({ world, rate: 1, wallOffset: 0 });
    const store = new SimulatedClusterStore({
      world,
      database,
      host,
      faultInjector: this.#faultInjector,
      leaseMs,
    });
    const calls: string[] = [];
    const node = new VerifierNode({
      name,
      leaseMs,
      store,
      clock: host.clock,
      schedule: host.schedule,
      newId: () => world.newId(),
      random: () => world.random.next(),
      cache: {
        evict: ({ subject }: ChangeEntry) => calls.push(`evict ${subject}`),
        clear: () => calls.push('clear'),
      },
      failed: (error) => calls.push(error instanceof Error ? error.message : 'failed'),
      recovered: () => calls.push('recovered'),
      instanceHandlers: {
        replaced: () => calls.push('replaced'),
        reapply: async () => {
          // Not at the start.
          if (calls.includes('replaced')) calls.push('reapply');
          return database.instance;
        },
        lostChanges: () => calls.push('lost changes'),
      },
      ...changed,
    });
    const holds = () => node.holds(host.clock.wall());
    return { node, host, store, calls, holds };
  }

  /** Commits a change without a notification. */
  change(subject: string): void {
    this.database.change(subject, [], this.world.newId()).apply();
  }

  /** Lets `ms` milliseconds pass. */
  async run(ms: number): Promise<void> {
    const end = this.world.now + ms;
    let ended = false;
    this.world.after(ms, () => {
      ended = true;
    });
    await setImmediate();
    while (!ended && this.world.step(end)) await setImmediate();
  }
}
