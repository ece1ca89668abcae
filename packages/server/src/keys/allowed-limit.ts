import type { RateLimit } from '@soku/contract/rate-limits';
import { RequestError } from '../http/errors.ts';
import { asNumber, quotaOf, readRateLimit, type StoredLimits } from '../limits/rate-limit.ts';

/*
 * A key must not bypass its limit by creating a key with a higher one, or by changing one. So it cannot grant more than
 * its own limit; a person can grant any.
 */

/**
 * The limit of a new key.
 *
 * @param creator the limits of the key that creates it; null for a person
 * @param requested null: the workspace's, or the creator's own when that is lower
 * @param fallback SOKU_KEY_RATE_LIMIT
 * @throws {RequestError} invalid_request when it is higher than the creator's own
 */
export function limitOfNewKey(
  creator: StoredLimits | null,
  requested: RateLimit | null,
  fallback: RateLimit,
): RateLimit | null {
  if (creator === null) return requested;
  if (requested === null) {
    const common = quotaOf({ own: null, workspace: creator.workspace }, fallback);
    return quotaOf(creator, fallback) < common ? readRateLimit(creator.own) : null;
  }
  refuseHigherLimit(creator, requested, fallback);
  return requested;
}

/**
 * @param caller the limits of the key that grants the limit; null for a person
 * @param requested null: the workspace's
 * @param fallback SOKU_KEY_RATE_LIMIT
 * @throws {RequestError} invalid_request when the limit is higher than the caller's own
 */
export function refuseHigherLimit(
  caller: StoredLimits | null,
  requested: RateLimit | null,
  fallback: RateLimit,
): void {
  if (caller === null) return;
  const asked =
    requested === null ? quotaOf({ own: null, workspace: caller.workspace }, fallback) : asNumber(requested);
  const most = quotaOf(caller, fallback);
  if (asked <= most) return;
  const problem = `must not be higher than ${most}, the limit of the key that asks for it`;
  throw new RequestError({
    code: 'invalid_request',
    message: `rateLimit ${problem}.`,
    details: [{ path: 'rateLimit', problem }],
  });
}
