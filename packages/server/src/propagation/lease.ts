import type { Clock } from './clock.ts';

/** The lease parameters that all nodes of a database share, in ms. */
export interface LeaseTiming {
  /** Plus the margin, the longest time that a revoke waits for a silent node. Stored in the database. */
  leaseMs: number;
  /**
   * Leases are shorter and waits are longer by this margin. It allows for clocks that run at different rates, and for
   * a suspension that is too short for the safeguard to detect.
   */
  marginMs: number;
}

/** The lease timing that all nodes must share, from the options of one. */
export function leaseTimingOf({
  leaseMs,
  marginShare = 0.1,
}: {
  leaseMs: number;
  marginShare?: number;
}): LeaseTiming {
  return { leaseMs, marginMs: leaseMs * marginShare };
}

/** A reading of both clocks, in ms. */
export interface ClockReading {
  monotonic: number;
  wall: number;
}

/**
 * The right to verify from the cache. A node that commits a change waits for every node whose lease was requested
 * before the commit, until that node has applied the change or its lease has expired.
 */
export class Lease {
  readonly #clock: Clock;
  readonly #timing: LeaseTiming;
  /** End of the lease on the monotonic clock, ms. */
  #until = Number.NEGATIVE_INFINITY;
  /** Wall clock minus monotonic clock when the renewal was sent, ms. */
  #offset = 0;

  constructor(clock: Clock, timing: LeaseTiming) {
    this.#clock = clock;
    this.#timing = timing;
  }

  /** @param sent read before the renewal was sent: a lease that starts later could outlast the wait of a revoke */
  grant(sent: ClockReading): void {
    this.#until = sent.monotonic + this.#timing.leaseMs - this.#timing.marginMs;
    this.#offset = sent.wall - sent.monotonic;
  }

  drop(): void {
    this.#until = Number.NEGATIVE_INFINITY;
  }

  /**
   * Compares clocks rather than a flag that a timer sets: a process that resumes may verify before its timers run. The
   * second condition is the safeguard, because the monotonic clock stops while a machine is suspended.
   *
   * @param wallNow epoch ms; the verification has already read it
   */
  holds(wallNow: number): boolean {
    const now = this.#clock.monotonic();
    return now < this.#until && Math.abs(wallNow - now - this.#offset) <= this.#timing.marginMs;
  }

  /** Whether the renewal that granted the lease was sent within the last `ms` milliseconds. */
  wasRenewedWithin(ms: number): boolean {
    const { leaseMs, marginMs } = this.#timing;
    return this.remainingMs() > leaseMs - marginMs - ms;
  }

  /** ms until the lease expires; 0 without one. */
  remainingMs(): number {
    if (!this.holds(this.#clock.wall())) return 0;
    return Math.max(0, this.#until - this.#clock.monotonic());
  }
}
