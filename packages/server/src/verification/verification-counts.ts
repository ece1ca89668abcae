import type { ErrorCode } from '@soku/contract/error-codes';

/** Upper ends of the buckets of the time that a verification takes, in ms. The last bucket has no end. */
export const bucketEnds: readonly number[] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 10, 100];

/** One verification in so many is timed: reading the clock twice costs a tenth of what it would measure. */
const sampling = 16;

/**
 * What is counted of verifications: plain numbers, because they are written on the hot path, where a metrics
 * library's own counters would cost as much as the verification does. The library reads them when somebody asks.
 */
export class VerificationCounts {
  /** Verifications that found a good key. */
  valid = 0;
  /** Those that did not, by the code of the refusal. */
  readonly refused = new Map<ErrorCode, number>();
  /** Look-ups by hash: found among the good secrets, among the refused ones, or asked of the database. */
  readonly lookUps = { good: 0, refused: 0, database: 0 };
  /** Refusals for a limit, by its policy. */
  readonly limited = { key: 0, address: 0 };
  /** How many of the timed verifications took at most so long; each bucket without those before it. */
  readonly durations: number[] = [...bucketEnds.map(() => 0), 0];
  /** All durations together, in ms. */
  durationSum = 0;

  #untimed = sampling;

  /** Whether the next verification is to be timed. The first one is. */
  isSample(): boolean {
    this.#untimed += 1;
    if (this.#untimed < sampling) return false;
    this.#untimed = 0;
    return true;
  }

  refuse(code: ErrorCode): void {
    this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
  }

  /** @param ms how long a verification took */
  took(ms: number): void {
    let bucket = 0;
    while (ms > (bucketEnds[bucket] ?? Number.POSITIVE_INFINITY)) bucket += 1;
    this.durations[bucket] = (this.durations[bucket] ?? 0) + 1;
    this.durationSum += ms;
  }
}
