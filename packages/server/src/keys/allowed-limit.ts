import type { RateLimit } from '@soku/contract/rate-limits';
import { RequestError } from '../http/errors.ts';
import {
  effectiveQuota,
  parseStoredRateLimit,
  rateLimitToNumber,
  type StoredLimits,
} from '../limits/rate-limit.ts';

/*
 * A key must not bypass its limit by creating a key with a higher limit, or by raising the limit of another key. So it
 * cannot grant more than its own limit. A person can grant any limit.
 */

/**
 * The limit of a new key.
 *
 * @param creator the limits of the key that creates the new key; null for a person
 * @param requested null: the limit of the workspace, or the creator's own limit if that is lower
 * @param fallback SOKU_KEY_RATE_LIMIT
 * @throws {RequestError} invalid_request if the requested limit is higher than the creator's own
 */
export function limitOfNewKey(
  creator: StoredLimits | null,
  requested: RateLimit | null,
  fallback: RateLimit,
): RateLimit | null {
  if (creator === null) return requested;
  if (requested === null) {
    const workspaceQuota = effectiveQuota({ own: null, workspace: creator.workspace }, fallback);
    return effectiveQuota(creator, fallback) < workspaceQuota ? parseStoredRateLimit(creator.own) : null;
  }
  rejectHigherLimit(creator, requested, fallback);
  return requested;
}

/**
 * Rejects a limit that is higher than the one of the calling key.
 *
 * @param caller the limits of the calling key; null for a person
 * @param requested null: the limit of the workspace
 * @param fallback SOKU_KEY_RATE_LIMIT
 * @throws {RequestError} invalid_request
 */
export function rejectHigherLimit(
  caller: StoredLimits | null,
  requested: RateLimit | null,
  fallback: RateLimit,
): void {
  if (caller === null) return;
  const quota =
    requested === null
      ? effectiveQuota({ own: null, workspace: caller.workspace }, fallback)
      : rateLimitToNumber(requested);
  const max = effectiveQuota(caller, fallback);
  if (quota <= max) return;
  const problem = `must not be higher than ${max}, the limit of the calling key`;
  throw new RequestError({
    code: 'invalid_request',
    message: `rateLimit ${problem}.`,
    details: [{ path: 'rateLimit', problem }],
  });
}
