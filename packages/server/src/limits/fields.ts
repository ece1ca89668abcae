import type { LimitState } from './sliding-window.ts';

/** The length of the window in seconds, for the policy field. */
export const windowSeconds = 60;

/** The names of all fields of `limitFields`. */
export const limitFieldNames: ReadonlySet<string> = new Set([
  'ratelimit-policy',
  'ratelimit',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
]);

/**
 * The header fields that report the remaining quota: those of the IETF (draft-ietf-httpapi-ratelimit-headers-10,
 * section 3) and the common X-RateLimit ones, where Reset is in seconds from now. Retry-After is not included, because
 * only a 429 has it; its value is `resetSeconds`.
 */
export function limitFields(limit: LimitState): Record<string, string> {
  const { policy, limit: quota, remaining, resetSeconds } = limit;
  return {
    'ratelimit-policy': `"${policy}";q=${quota};w=${windowSeconds}`,
    ratelimit: `"${policy}";r=${remaining};t=${resetSeconds}`,
    'x-ratelimit-limit': String(quota),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(resetSeconds),
  };
}
