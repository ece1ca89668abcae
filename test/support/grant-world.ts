/** Several nodes that take grants from one database, with a clock and a network that a test controls. */
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { ClusterTime } from '../../packages/server/src/limits/cluster-time.ts';
import { GrantRounds } from '../../packages/server/src/limits/grant-rounds.ts';
import { Grants } from '../../packages/server/src/limits/grants.ts';
import { KeyLimits } from '../../packages/server/src/limits/key-limits.ts';
import { type LimitState, minuteOf } from '../../packages/server/src/limits/sliding-window.ts';
import { GrantModel } from './grant-model.ts';

/** Timeout of a node for the database, and the time for which it keeps its lease without it. Both in ms. */
const timeout = 800;
const lease = 2000;

const row = { keyId: () => 'key' };

export class GrantWorld {
  readonly database: GrantModel;
  readonly nodes: WorldNode[] = [];
  #events: { at: number; run: () => void }[] = [];

  /** @param start epoch ms, by the database's clock */
  constructor(start: number) {
    this.database = new GrantModel(start);
  }

  /** @param delay ms in each direction to the database. @param skew ms by which its clock is ahead of the database's */
  async join({ delay = 0, skew = 0 }: { delay?: number; skew?: number } = {}): Promise<WorldNode> {
    const node = new WorldNode(this, `node ${this.nodes.length}`, delay, skew);
    this.nodes.push(node);
    await this.until(node.rounds.start());
    return node;
  }

  after(delay: number, run: () => void): () => void {
    const event = { at: this.database.now + delay, run };
    this.#events.push(event);
    return () => {
      event.run = () => undefined;
    };
  }

  async advance(ms: number): Promise<void> {
    const end = this.database.now + ms;
    await settle();
    for (;;) {
      const next = this.#events.reduce<{ at: number; run: () => void } | undefined>(
        (first, event) => (first === undefined || event.at < first.at ? event : first),
        undefined,
      );
      if (next === undefined || next.at > end) break;
      this.#events = this.#events.filter((event) => event !== next);
      this.database.now = Math.max(this.database.now, next.at);
      next.run();
      await settle();
    }
    this.database.now = end;
  }

  /** Lets time pass until a promise resolves. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let done = false;
    void promise.finally(() => {
      done = true;
    });
    for (await this.advance(0); !done; await this.advance(50));
    return promise;
  }

  /** Advances to the start of the next minute. */
  async nextMinute(): Promise<void> {
    await this.advance(60_000 - (this.database.now % 60_000));
  }
}

export class WorldNode {
  readonly time: ClusterTime;
  readonly rounds: GrantRounds;
  readonly keys = new KeyLimits();
  readonly failures: unknown[] = [];
  /** Number of grant statements that were sent. */
  statements = 0;
  alive = true;
  readonly #grants: Grants;
  readonly #world: GrantWorld;
  readonly #name: string;
  readonly #delay: number;
  #skew: number;
  #registrations = 0;
  #tries = 0;
  #cutAt: number | undefined;

  constructor(world: GrantWorld, name: string, delay: number, skew: number) {
    this.#world = world;
    this.#name = name;
    this.#delay = delay;
    this.#skew = skew;
    this.#register();
    this.time = new ClusterTime(this);
    this.rounds = new GrantRounds({
      store: {
        take: (requests, withoutShare) => {
          this.statements += 1;
          // A copy of the values at the time of sending.
          const sent = requests.map(({ keyId, quota, wanted, unusedMinute, unused }) => {
            return { keyId, quota, wanted, unusedMinute, unused };
          });
          return this.#query(() => world.database.take(sent, withoutShare));
        },
        readClusterState: (id) => this.#query(() => world.database.look(id)),
      },
      member: this,
      time: this.time,
      received: (...granted) => this.#grants.receive(...granted),
      now: () => this.now,
      schedule: (run, ms) => world.after(ms, run),
      failed: (error) => this.failures.push(error),
      recovered: () => this.failures.push('recovered'),
    });
    this.#grants = new Grants({
      time: this.time,
      rounds: this.rounds,
      windowOf: (keyId) => this.keys.ofKey(keyId),
    });
  }

  /** A new ID for each registration. */
  get id(): string {
    return `${this.#name}, ${this.#registrations}`;
  }

  get now(): number {
    return this.#world.database.now + this.#skew;
  }

  /** The current minute according to its clock. */
  get minute(): number {
    return minuteOf(this.time.of(this.now));
  }

  holds(): boolean {
    return this.#cutAt === undefined || this.#world.database.now - this.#cutAt < lease;
  }

  /** @returns undefined when the database does not respond. @param passed called in the turn in which it passes */
  async request(quota: number, passed: () => void = () => undefined): Promise<LimitState | undefined> {
    for (;;) {
      this.#tries += 1;
      if (this.#tries > 100_000) throw new Error('endless requests for grants');
      const state = this.#grants.take(this.keys.ofKey('key'), quota, this.now, row, 0);
      if (state?.passed === true) passed();
      if (state !== undefined) return state;
      if (!(await this.rounds.wait('key', quota))) return undefined;
    }
  }

  moveClock(ms: number): void {
    this.#skew += ms;
  }

  cut(): void {
    this.#cutAt ??= this.#world.database.now;
  }

  /** Registers again if others have removed the node while it had no lease. */
  heal(): void {
    if (!this.holds()) this.#register();
    this.#cutAt = undefined;
  }

  leave(): void {
    this.alive = false;
    this.#world.database.nodes.delete(this.id);
    void this.rounds.stop();
  }

  #register(): void {
    this.#world.database.nodes.delete(this.id);
    this.#registrations += 1;
    this.#world.database.nodes.set(this.id, this.#world.database.now);
  }

  async #query<T>(run: () => T): Promise<T> {
    if (this.#cutAt !== undefined) {
      await this.#wait(timeout);
      throw new Error('the database does not respond');
    }
    await this.#wait(this.#delay);
    const value = structuredClone(run());
    await this.#wait(this.#delay);
    return value;
  }

  #wait(ms: number): Promise<void> {
    return ms === 0 ? Promise.resolve() : new Promise((resolve) => this.#world.after(ms, resolve));
  }
}

/** Nodes that have a share of the current minute, which has just started. */
export async function worldWithShares(...nodes: Parameters<GrantWorld['join']>[0][]): Promise<GrantWorld> {
  const world = new GrantWorld(29_500_000 * 60_000);
  for (const node of nodes) await world.join(node);
  await world.nextMinute();
  await world.nextMinute();
  return world;
}

export function nodeAt(world: GrantWorld, index: number): WorldNode {
  const active = world.nodes.filter(({ alive }) => alive);
  const node = active[index % active.length];
  assert.ok(node);
  return node;
}

/** The number of consecutive requests that pass on a node. */
export async function countPassed(
  world: GrantWorld,
  index: number,
  quota: number,
  requests: number,
): Promise<number> {
  let passed = 0;
  for (let i = 0; i < requests; i++) {
    await world.until(nodeAt(world, index).request(quota, () => (passed += 1)));
  }
  return passed;
}

/** Waits until all pending promises have run. */
async function settle(): Promise<void> {
  for (let i = 0; i < 4; i++) await turn();
}
