import type { Clock } from './clock.ts';

/** What all nodes of a database have agreed on, in ms. */
export interface Terms {
  /** How long a revoke waits for a silent node at most, less the margin. Stored in the database. */
  leaseMs: number;
  /**
   * Leases are shorter, and waits longer, by this margin. It allows for clocks that run at different rates, and for a
   * suspension that is too short for the fuse to detect.
   */
  marginMs: number;
}

/** A moment on both clocks. */
export interface Moment {
  monotonic: number;
  wall: number;
}

/**
 * The right to verify from the cache. The author of a change waits until every lease that was requested before the
 * commit has expired, or its holder has applied the change.
 */
export class Lease {
  readonly #clock: Clock;
  readonly #terms: Terms;
  /** On the monotonic clock. */
  #until = Number.NEGATIVE_INFINITY;
  /** The wall clock less the monotonic one, when the renewal was sent. */
  #offset = 0;

  constructor(clock: Clock, terms: Terms) {
    this.#clock = clock;
    this.#terms = terms;
  }

  /** @param sent before the renewal was sent: a later start would outlast the wait for it */
  grant(sent: Moment): void {
    this.#until = sent.monotonic + this.#terms.leaseMs - this.#terms.marginMs;
    this.#offset = sent.wall - sent.monotonic;
  }

  drop(): void {
    this.#until = Number.NEGATIVE_INFINITY;
  }

  /**
   * Compares clocks instead of a flag that a timer sets: a process that resumes may verify before its timers run. The
   * second line is the fuse: the monotonic clock stops while a machine is suspended.
   *
   * @param wallNow the wall clock, which a verification has read already
   */
  holds(wallNow: number): boolean {
    const now = this.#clock.monotonic();
    return now < this.#until && Math.abs(wallNow - now - this.#offset) <= this.#terms.marginMs;
  }

  /** Whether the renewal that granted the lease was sent in the last so many ms. */
  renewedWithin(ms: number): boolean {
    const { leaseMs, marginMs } = this.#terms;
    return this.remaining() > leaseMs - marginMs - ms;
  }

  /** ms until the lease expires; 0 without one. */
  remaining(): number {
    if (!this.holds(this.#clock.wall())) return 0;
    return Math.max(0, this.#until - this.#clock.monotonic());
  }
}
