import { msPerDay } from '@soku/contract/instant';
import { invalidFieldError } from './caller-policy.ts';

/** The rules of a workspace for expiration dates. They apply to new keys, and to dates that are set. */
export interface ExpiryRules {
  /** Days from now; null: no maximum. */
  maxLifetime: number | null;
  /** Whether keys must have a date. */
  required: boolean;
}

/**
 * The expiration date that a call requests.
 *
 * @param requested null: never; undefined: not stated
 * @param now epoch ms
 * @returns epoch ms, or null or undefined as requested. If the workspace has a maximum, that replaces undefined
 * @throws {RequestError} invalid_request
 */
export function chooseExpiry(
  requested: string | null | undefined,
  { maxLifetime, required }: ExpiryRules,
  now: number,
): number | null | undefined {
  const latest = maxLifetime === null ? Number.POSITIVE_INFINITY : now + maxLifetime * msPerDay;
  if (requested === undefined) return maxLifetime === null ? undefined : latest;
  const expiresAt = requested === null ? null : Date.parse(requested);
  if (expiresAt !== null && expiresAt <= now) throw invalidFieldError('expiresAt', 'must be in the future');
  if ((expiresAt ?? Number.POSITIVE_INFINITY) > latest) {
    const date = new Date(latest).toISOString();
    throw invalidFieldError(
      'expiresAt',
      `must be ${date} or earlier: keys of this workspace expire within ${maxLifetime} days`,
    );
  }
  if (expiresAt === null && required) throw withoutExpiry();
  return expiresAt;
}

function withoutExpiry() {
  return invalidFieldError('expiresAt', 'must be a date, because keys of this workspace must expire');
}

/**
 * The expiration date of a new key. A date that is not stated is the latest one that the workspace and the creator
 * allow.
 *
 * @param requested null and undefined: not stated
 * @param limits `inherited` is the date of the creating key, in epoch ms; null: never, or a person creates it
 * @returns epoch ms; null: never
 * @throws {RequestError} invalid_request
 */
export function expiryOfNewKey(
  requested: string | null | undefined,
  { inherited, rules, now }: { inherited: number | null; rules: ExpiryRules; now: number },
): number | null {
  const chosen = chooseExpiry(requested ?? undefined, rules, now) ?? null;
  const expiresAt =
    typeof requested === 'string' || inherited === null ? chosen : Math.min(chosen ?? inherited, inherited);
  if (expiresAt === null && rules.required) throw withoutExpiry();
  return expiresAt;
}
