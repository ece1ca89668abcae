import type { Kysely, RawBuilder } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { PeriodicTask, type Schedule, scheduleTimer } from '../timers/periodic-task.ts';
import {
  type Claim,
  claimDue,
  clockToleranceMs,
  endImpossibleWaits,
  endStaleLeases,
  type WorkTable,
} from './leased-rows.ts';

/** Work that shares a limit of concurrent attempts, such as that for one recipient. */
export interface WorkQueue {
  name: string;
  /** Selects its rows; undefined: all. */
  only?: RawBuilder<unknown>;
  /** Maximum attempts at the same time on this node. */
  concurrency: number;
  /** Queues with the same name of a group also share its limit, such as the queues of one workspace. */
  group?: { name: string; concurrency: number };
}

interface QueueState {
  queue: WorkQueue;
  running: number;
  /** When it last got an attempt, as a count of claims. */
  servedAt: number;
  /** Whether it had fewer due rows than it could get. The next round asks again. */
  isDrained: boolean;
}

interface Options {
  db: Kysely<Tables>;
  table: WorkTable;
  /** The queues that may have due rows. Called in each round. */
  queues: () => Promise<readonly WorkQueue[]>;
  /** Makes one attempt and settles the claim. It should end soon when the signal aborts, which is when the server stops. */
  attempt: (claim: Claim, signal: AbortSignal) => Promise<void>;
  /** Maximum attempts at the same time on this node, of all queues. */
  concurrency: number;
  /** ms between two rounds. */
  interval: number;
  /** ms. Longer than the longest attempt. */
  lease: number;
  /** ms after which a row is due at the latest, by the number of its attempts so far. */
  waits: readonly number[];
  /** ms after which the remaining attempts are aborted when the server stops. */
  stopTimeout: number;
  /** Called with the first of several consecutive failures. What failed is repeated, a claimed attempt after its lease. */
  failed: (error: unknown) => void;
  /** Epoch ms. */
  now: () => number;
  /** Monotonic ms. */
  monotonic?: () => number;
  schedule?: Schedule;
}

/**
 * Works on the due rows of a table. Each queue has its own limit, so a recipient that hangs does not delay the others. If
 * there is more work than a node may do at the same time, the queues with the fewest attempts get the slots that become
 * free, so no queue keeps them. It claims only what it starts at once, so the length of a queue needs no
 * memory, and other nodes can claim the rest.
 */
export class LeasedWork {
  readonly #options: Options;
  readonly #rounds: PeriodicTask;
  readonly #schedule: Schedule;
  readonly #stopping = new AbortController();
  readonly #queues = new Map<string, QueueState>();
  /** Running attempts of each group. */
  readonly #groups = new Map<string, number>();
  readonly #running = new Set<Promise<void>>();
  #attempts = 0;
  #claims = 0;
  /** The last call of #distribute, and the next one if it has not begun. */
  #filling: Promise<void> = Promise.resolve();
  #nextFill: Promise<void> | undefined;
  #hasEndedStale = false;
  /** How far the clock was ahead of the monotonic one in the last round, in ms. */
  #ahead = Number.POSITIVE_INFINITY;
  #isFailing = false;
  #isStopped = false;

  constructor(options: Options) {
    this.#options = options;
    this.#schedule = options.schedule ?? scheduleTimer;
    const { interval, failed } = options;
    this.#rounds = new PeriodicTask(() => this.#round(), { interval, failed, schedule: this.#schedule });
  }

  /** Call it when the server listens. */
  start(): void {
    this.#rounds.start(0);
  }

  /** Starts no further attempt; resolves when the current ones have ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#rounds.stop();
    const cancel = this.#schedule(() => this.#stopping.abort(), this.#options.stopTimeout);
    while (this.#running.size > 0) await Promise.all(this.#running);
    cancel();
  }

  async #round(): Promise<void> {
    if (!this.#hasEndedStale) await endStaleLeases(this.#options.db, this.#options.table);
    this.#hasEndedStale = true;
    await this.#noticeClock();
    const queues = await this.#options.queues();
    // Those that are not listed get no further attempt.
    for (const state of this.#queues.values()) state.isDrained = true;
    for (const queue of queues) {
      const counts = this.#queues.get(queue.name) ?? { running: 0, servedAt: 0 };
      this.#queues.set(queue.name, Object.assign(counts, { queue, isDrained: false }));
    }
    await this.#fill();
  }

  /** The clock may have been set back since the last round, or before the start. */
  async #noticeClock(): Promise<void> {
    const { db, table, now, monotonic = () => performance.now(), lease, waits } = this.#options;
    const ahead = now() - monotonic();
    if (ahead < this.#ahead - clockToleranceMs)
      await endImpossibleWaits(db, table, { now: now(), lease, waits });
    this.#ahead = ahead;
  }

  /** Gives the free slots to queues. Calls during a distribution share the next one. */
  #fill(): Promise<void> {
    this.#nextFill ??= this.#filling.then(() => {
      this.#nextFill = undefined;
      return this.#distribute();
    });
    this.#filling = this.#nextFill.catch(() => undefined);
    return this.#nextFill;
  }

  async #distribute(): Promise<void> {
    for (const [name, { running, isDrained }] of this.#queues)
      if (isDrained && running === 0) this.#queues.delete(name);
    for (;;) {
      const waiting = this.#waiting();
      if (waiting.length === 0) return;
      const free = this.#options.concurrency - this.#attempts;
      const share = Math.max(1, Math.floor(free / waiting.length));
      for (const state of waiting) await this.#claim(state, Math.min(share, this.#room(state)));
    }
  }

  /** The queues that may start an attempt: those with the fewest running ones, and then those that waited longest, first. */
  #waiting(): QueueState[] {
    if (this.#isStopped) return [];
    return [...this.#queues.values()]
      .filter((state) => !state.isDrained && this.#room(state) > 0)
      .sort(
        (a, b) => this.#inGroup(a) - this.#inGroup(b) || a.running - b.running || a.servedAt - b.servedAt,
      );
  }

  /** Attempts that a queue may start now. */
  #room(state: QueueState): number {
    const { concurrency, group } = state.queue;
    const ofGroup = group === undefined ? Infinity : group.concurrency - this.#inGroup(state);
    return Math.min(concurrency - state.running, ofGroup, this.#options.concurrency - this.#attempts);
  }

  /** Running attempts of the group of a queue, or of the queue if it has none. */
  #inGroup({ queue: { group }, running }: QueueState): number {
    return group === undefined ? running : (this.#groups.get(group.name) ?? 0);
  }

  async #claim(state: QueueState, limit: number): Promise<void> {
    if (limit <= 0 || this.#isStopped) return;
    const { db, table, lease, now } = this.#options;
    const claims = await claimDue(db, table, { now: now(), lease, limit, only: state.queue.only });
    if (claims.length < limit) state.isDrained = true;
    this.#claims += 1;
    state.servedAt = this.#claims;
    for (const claim of claims) this.#run(this.#attempt(state, claim).then(() => this.#fill()));
  }

  async #attempt(state: QueueState, claim: Claim): Promise<void> {
    // The queue may have another group when the attempt ends.
    const group = state.queue.group?.name;
    const count = (change: 1 | -1) => {
      state.running += change;
      this.#attempts += change;
      if (group !== undefined) this.#groups.set(group, (this.#groups.get(group) ?? 0) + change);
      if (group !== undefined && this.#groups.get(group) === 0) this.#groups.delete(group);
    };
    count(1);
    try {
      await this.#options.attempt(claim, this.#stopping.signal);
      this.#isFailing = false;
    } finally {
      count(-1);
    }
  }

  #run(work: Promise<void>): void {
    const settled = work.catch((error) => this.#fail(error)).finally(() => this.#running.delete(settled));
    this.#running.add(settled);
  }

  #fail(error: unknown): void {
    if (!this.#isFailing) this.#options.failed(error);
    this.#isFailing = true;
  }
}
