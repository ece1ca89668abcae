import { msPerDay } from '@soku/contract/instant';
import { invalid } from './caller-policy.ts';

/**
 * The expiration date that a call requests.
 *
 * @param requested null: never; undefined: not stated
 * @param maxLifetime days from now; null: the workspace has no maximum
 * @param now epoch ms
 * @returns epoch ms, or null or undefined as requested. If the workspace has a maximum, that replaces undefined
 * @throws {RequestError} invalid_request
 */
export function chooseExpiry(
  requested: string | null | undefined,
  maxLifetime: number | null,
  now: number,
): number | null | undefined {
  const latest = maxLifetime === null ? Number.POSITIVE_INFINITY : now + maxLifetime * msPerDay;
  if (requested === undefined) return maxLifetime === null ? undefined : latest;
  const expiresAt = requested === null ? null : Date.parse(requested);
  if (expiresAt !== null && expiresAt <= now) throw invalid('expiresAt', 'must be in the future');
  if ((expiresAt ?? Number.POSITIVE_INFINITY) > latest) {
    const date = new Date(latest).toISOString();
    throw invalid(
      'expiresAt',
      `must be ${date} or earlier: keys of this workspace expire within ${maxLifetime} days`,
    );
  }
  return expiresAt;
}
