import type { ApiProblem } from '../http/errors.ts';
import type { AddressLimits } from '../limits/address-limits.ts';
import { rateLimited } from './rejections.ts';
import type { VerificationCounts } from './verification-counts.ts';

/**
 * Counts a request with a wrong key against the limit of its IP address.
 *
 * @param now epoch ms
 * @returns the rejection if the address is over its limit
 */
export function limitAddress(
  { addressLimits, counts }: { addressLimits: AddressLimits; counts: Pick<VerificationCounts, 'limited'> },
  address: string,
  now: number,
): ApiProblem | undefined {
  const limit = addressLimits.consume(address, now);
  if (limit === null || limit.passed) return undefined;
  counts.limited.address += 1;
  return rateLimited(limit);
}
