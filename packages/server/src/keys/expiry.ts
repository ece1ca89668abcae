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

/**
 * The expiration date of a new key. A date that is not stated is the latest one that the workspace and the creator
 * allow.
 *
 * @param requested null and undefined: not stated
 * @param limits `inherited` is the date of the creating key, in epoch ms; null: never. The others are as above
 * @returns epoch ms; null: never
 * @throws {RequestError} invalid_request
 */
export function expiryOfNewKey(
  requested: string | null | undefined,
  { inherited, maxLifetime, now }: { inherited: number | null; maxLifetime: number | null; now: number },
): number | null {
  const chosen = chooseExpiry(requested ?? undefined, maxLifetime, now) ?? null;
  if (typeof requested === 'string' || inherited === null) return chosen;
  return Math.min(chosen ?? inherited, inherited);
}
