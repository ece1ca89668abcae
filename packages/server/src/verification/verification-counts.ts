import type { ErrorCode } from '@soku/contract/error-codes';

/** Upper bounds of the duration buckets, in ms. The last bucket is unbounded. */
export const verificationBucketBounds: readonly number[] = [
  0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 10, 100,
];

/** One in this many verifications is timed, because reading the clock twice adds a tenth to the duration. */
const sampling = 16;

/**
 * Counts verifications. They are plain numbers, because the counters of a metrics library would cost as much as the
 * verification itself. The library reads them when metrics are requested.
 */
export class VerificationCounts {
  /** Verifications that accepted the key. */
  valid = 0;
  /** Verifications that rejected it, by code. */
  readonly rejected = new Map<ErrorCode, number>();
  /** Lookups by hash: found among the valid or the rejected cached secrets, or sent to the database. */
  readonly lookups = { valid: 0, rejected: 0, database: 0 };
  /** Rejections because of a rate limit, by policy. */
  readonly limited = { key: 0, address: 0 };
  /** Number of timed verifications per duration bucket, not cumulative. */
  readonly durations: number[] = [...verificationBucketBounds.map(() => 0), 0];
  /** Sum of all durations, in ms. */
  durationSum = 0;

  #untimed = sampling;

  /** Whether to time the next verification. The first one is timed. */
  shouldTime(): boolean {
    this.#untimed += 1;
    if (this.#untimed < sampling) return false;
    this.#untimed = 0;
    return true;
  }

  recordRejection(code: ErrorCode): void {
    this.rejected.set(code, (this.rejected.get(code) ?? 0) + 1);
  }

  /** @param ms duration of a verification */
  recordDuration(ms: number): void {
    let bucket = 0;
    while (ms > (verificationBucketBounds[bucket] ?? Number.POSITIVE_INFINITY)) bucket += 1;
    this.durations[bucket] = (this.durations[bucket] ?? 0) + 1;
    this.durationSum += ms;
  }
}
