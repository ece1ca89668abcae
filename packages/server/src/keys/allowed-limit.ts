import type { RateLimit } from '@soku/contract/rate-limits';
import { RequestError } from '../http/errors.ts';
import { asNumber, quotaOf, readRateLimit, type StoredLimits } from '../limits/rate-limit.ts';

/*
 * A key must not get round its limit by making a key with a higher one, or by changing one. So its own limit is the
 * most that it can hand out; a person may hand out everything.
 */

/**
 * The limit of a new key.
 *
 * @param maker the limits of the key that makes it; null for a person
 * @param wish null: the workspace's, or the maker's own when that is lower
 * @param fallback SOKU_KEY_RATE_LIMIT
 * @throws {RequestError} invalid_request when it asks for more than its maker has
 */
export function limitOfNewKey(
  maker: StoredLimits | null,
  wish: RateLimit | null,
  fallback: RateLimit,
): RateLimit | null {
  if (maker === null) return wish;
  if (wish === null) {
    const common = quotaOf({ own: null, workspace: maker.workspace }, fallback);
    return quotaOf(maker, fallback) < common ? readRateLimit(maker.own) : null;
  }
  refuseHigherLimit(maker, wish, fallback);
  return wish;
}

/**
 * @param holder the limits of the key that hands the limit out; null for a person
 * @param wish null: the workspace's
 * @param fallback SOKU_KEY_RATE_LIMIT
 * @throws {RequestError} invalid_request when the limit is higher than the holder's own
 */
export function refuseHigherLimit(
  holder: StoredLimits | null,
  wish: RateLimit | null,
  fallback: RateLimit,
): void {
  if (holder === null) return;
  const asked =
    wish === null ? quotaOf({ own: null, workspace: holder.workspace }, fallback) : asNumber(wish);
  const most = quotaOf(holder, fallback);
  if (asked <= most) return;
  const problem = `must not be higher than ${most}, the limit of the key that asks for it`;
  throw new RequestError({
    code: 'invalid_request',
    message: `rateLimit ${problem}.`,
    details: [{ path: 'rateLimit', problem }],
  });
}
