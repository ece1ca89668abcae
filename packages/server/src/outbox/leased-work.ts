import type { Kysely, RawBuilder } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { type Later, later, PeriodicTask } from '../timers/periodic-task.ts';
import { type Claim, claimDue, endStaleLeases, type WorkTable } from './leased-rows.ts';

/** Work that shares a limit of concurrent attempts, such as that for one recipient. */
export interface Lane {
  name: string;
  /** Selects its rows; undefined: all. */
  only?: RawBuilder<unknown>;
  /** Maximum attempts at the same time on this node. */
  concurrency: number;
}

interface Options {
  db: Kysely<Tables>;
  table: WorkTable;
  /** The lanes that may have due rows. Called in each round. */
  lanes: () => Promise<readonly Lane[]>;
  /** Makes one attempt and settles the claim. It should end soon when the signal aborts, which is when the server stops. */
  attempt: (claim: Claim, signal: AbortSignal) => Promise<void>;
  /** Maximum attempts at the same time on this node, of all lanes. */
  concurrency: number;
  /** ms between two rounds. */
  interval: number;
  /** ms. Longer than the longest attempt. */
  lease: number;
  /** ms after which the remaining attempts are aborted when the server stops. */
  stopTimeout: number;
  /** Called with the first of several consecutive failures. What failed is repeated, a claimed attempt after its lease. */
  failed: (error: unknown) => void;
  /** Epoch ms. */
  now: () => number;
  later?: Later;
}

/**
 * Works on the due rows of a table. Each lane has its own limit, so a recipient that hangs does not delay the others. It
 * claims only what it starts at once, so the length of the queue needs no memory, and other nodes can claim the rest.
 */
export class LeasedWork {
  readonly #options: Options;
  readonly #rounds: PeriodicTask;
  readonly #later: Later;
  readonly #stopping = new AbortController();
  readonly #lanes = new Map<string, { lane: Lane; running: number }>();
  readonly #running = new Set<Promise<void>>();
  #reserved = 0;
  #hasEndedStale = false;
  #isFailing = false;
  #isStopped = false;

  constructor(options: Options) {
    this.#options = options;
    this.#later = options.later ?? later;
    const { interval, failed } = options;
    this.#rounds = new PeriodicTask(() => this.#round(), { interval, failed, later: this.#later });
  }

  /** Call it when the server listens. */
  start(): void {
    this.#rounds.start(0);
  }

  /** Starts no further attempt; resolves when the current ones have ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#rounds.stop();
    const cancel = this.#later(() => this.#stopping.abort(), this.#options.stopTimeout);
    while (this.#running.size > 0) await Promise.all(this.#running);
    cancel();
  }

  async #round(): Promise<void> {
    if (!this.#hasEndedStale) await endStaleLeases(this.#options.db, this.#options.table);
    this.#hasEndedStale = true;
    const lanes = await this.#options.lanes();
    const names = new Set(lanes.map(({ name }) => name));
    for (const [name, { running }] of this.#lanes)
      if (running === 0 && !names.has(name)) this.#lanes.delete(name);
    for (const lane of lanes) {
      const known = this.#lanes.get(lane.name);
      if (known === undefined) this.#lanes.set(lane.name, { lane, running: 0 });
      else known.lane = lane;
      await this.#fill(lane.name);
    }
  }

  /** Starts as many attempts of a lane as its limit permits. */
  async #fill(name: string): Promise<void> {
    const state = this.#lanes.get(name);
    if (state === undefined || this.#isStopped) return;
    const { db, table, concurrency, lease, now } = this.#options;
    const free = Math.min(state.lane.concurrency - state.running, concurrency - this.#reserved);
    if (free <= 0) return;
    // Reserved before the query, because other attempts end and fill the lane while it runs.
    const reserve = (count: number) => {
      state.running += count;
      this.#reserved += count;
    };
    reserve(free);
    let claims: Claim[] = [];
    try {
      claims = await claimDue(db, table, { now: now(), lease, limit: free, only: state.lane.only });
    } finally {
      reserve(claims.length - free);
    }
    for (const claim of claims)
      this.#run(this.#attempt(claim, () => reserve(-1)).then(() => this.#fill(name)));
  }

  async #attempt(claim: Claim, ended: () => void): Promise<void> {
    try {
      await this.#options.attempt(claim, this.#stopping.signal);
      this.#isFailing = false;
    } finally {
      ended();
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
