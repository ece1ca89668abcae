import type { RateLimit } from '@soku/contract/rate-limits';

/** The stored limits of a key and its workspace, as in the `rate_limit` columns. */
export interface StoredLimits {
  own: number | null;
  workspace: number | null;
}

/** Parses a `rate_limit` column: null means "not set", 0 means 'off', any other value is requests per minute. */
export function parseStoredRateLimit(stored: number | null): RateLimit | null {
  return stored === 0 ? 'off' : stored;
}

/** Formats a limit for a `rate_limit` column. */
export function formatStoredRateLimit(limit: RateLimit | null): number | null {
  return limit === 'off' ? 0 : limit;
}

/**
 * The effective limit of a key: its own, otherwise its workspace's, otherwise the deployment's.
 *
 * @param fallback SOKU_KEY_RATE_LIMIT
 * @returns requests per minute; Infinity means no limit
 */
export function effectiveQuota({ own, workspace }: StoredLimits, fallback: RateLimit): number {
  return rateLimitToNumber(parseStoredRateLimit(own ?? workspace) ?? fallback);
}

/** A limit as a comparable number: Infinity means no limit. */
export function rateLimitToNumber(limit: RateLimit): number {
  return limit === 'off' ? Number.POSITIVE_INFINITY : limit;
}
