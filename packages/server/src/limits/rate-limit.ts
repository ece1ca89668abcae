import type { RateLimit } from '@soku/contract/rate-limits';

/** The limits that a key's one comes from, as the columns `rate_limit` have them. */
export interface StoredLimits {
  own: number | null;
  workspace: number | null;
}

/** null in a column `rate_limit` is "no setting of its own", 0 is 'off', anything else requests a minute. */
export function readRateLimit(stored: number | null): RateLimit | null {
  return stored === 0 ? 'off' : stored;
}

/** The other way round. */
export function writeRateLimit(limit: RateLimit | null): number | null {
  return limit === 'off' ? 0 : limit;
}

/**
 * What a key really has: its own limit, else its workspace's, else the deployment's.
 *
 * @param fallback SOKU_KEY_RATE_LIMIT
 * @returns requests a minute; Infinity is no limit
 */
export function quotaOf({ own, workspace }: StoredLimits, fallback: RateLimit): number {
  return asNumber(readRateLimit(own ?? workspace) ?? fallback);
}

/** A limit as a number that can be compared: Infinity is none. */
export function asNumber(limit: RateLimit): number {
  return limit === 'off' ? Number.POSITIVE_INFINITY : limit;
}
