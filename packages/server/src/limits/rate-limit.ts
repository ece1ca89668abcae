import type { RateLimit } from '../keys/schemas.ts';

/**
 * A limit as the columns `rate_limit` have it: null is "no setting of its own", 0 is 'off', else requests a minute.
 */
export function readRateLimit(stored: number | null): RateLimit | null {
  return stored === 0 ? 'off' : stored;
}

/** The other way round. */
export function writeRateLimit(limit: RateLimit | null): number | null {
  return limit === 'off' ? 0 : limit;
}
