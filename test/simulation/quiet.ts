import { setImmediate } from 'node:timers/promises';
import type { Change } from '../../packages/server/src/propagation/link.ts';
import { type NodeOptions, VerifierNode } from '../../packages/server/src/propagation/node.ts';
import { Adversity } from './adversity.ts';
import { Database } from './database.ts';
import { Host } from './host.ts';
import { ModelLink } from './model-link.ts';
import { Random } from './random.ts';
import { World } from './world.ts';

const leaseMs = 2000;

/** Nodes in a world in which nothing goes wrong but what a test does. */
export class QuietWorld {
  readonly leaseMs = leaseMs;
  readonly world: World;
  readonly database: Database;
  readonly #adversity: Adversity;

  constructor() {
    const random = new Random(1);
    this.world = new World(random);
    this.#adversity = new Adversity(random, 800, 'calm');
    this.database = new Database(this.world, this.#adversity);
  }

  /** A node that is not started yet, its host, and what it has told. */
  node(name: string, changed: Partial<NodeOptions> = {}) {
    const { world, database } = this;
    const host = new Host({ world, rate: 1, wallOffset: 0 });
    const link = new ModelLink({ world, database, host, adversity: this.#adversity, leaseMs });
    const told: string[] = [];
    const node = new VerifierNode({
      name,
      leaseMs,
      link,
      clock: host.clock,
      later: host.later,
      newId: () => world.newId(),
      random: () => world.random.next(),
      cache: {
        forget: ({ subject }: Change) => told.push(`forget ${subject}`),
        empty: () => told.push('empty'),
      },
      failed: (error) => told.push(error instanceof Error ? error.message : 'failed'),
      recovered: () => told.push('recovered'),
      ...changed,
    });
    const holds = () => node.holds(host.clock.wall());
    return { node, host, link, told, holds };
  }

  /** A change is committed, and nobody is notified. */
  change(subject: string): void {
    this.database.change(subject, [], this.world.newId()).apply();
  }

  /** Lets so many ms pass. */
  async run(ms: number): Promise<void> {
    const end = this.world.now + ms;
    let over = false;
    this.world.after(ms, () => {
      over = true;
    });
    await setImmediate();
    while (!over && this.world.step(end)) await setImmediate();
  }
}
