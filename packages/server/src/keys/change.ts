import type { ChangeKey } from '@soku/contract/key-requests';
import type { RateLimit } from '@soku/contract/rate-limits';
import { formatStoredMetadata } from '../database/stored-metadata.ts';
import { RequestError } from '../http/errors.ts';
import {
  type CallerPolicy,
  type KeyPolicy,
  rejectBroaderPolicy,
  rejectChangeOfBroaderKey,
} from './caller-policy.ts';
import { chooseExpiry, type ExpiryRules } from './expiry.ts';
import { rejectLargeIdentity } from './identity-size.ts';
import type { KeyRow } from './store.ts';
import { type ChangedKey, policyOfRow } from './writes.ts';

/** What decides whether a key may be changed, besides the key itself. */
interface Circumstances {
  /** The policy of the calling key; null for a person. */
  caller: CallerPolicy | null;
  /** Those of the workspace. */
  rules: ExpiryRules;
  /** SOKU_KEY_RATE_LIMIT. */
  fallback: RateLimit;
  /** Epoch ms. */
  now: number;
}

/**
 * Decides how a key changes.
 *
 * @returns all fields after the change
 * @throws {RequestError} key_revoked, session_required, insufficient_scope, invalid_request
 */
export function decideChange(before: KeyRow, input: ChangeKey, circumstances: Circumstances): ChangedKey {
  const { caller, fallback, now } = circumstances;
  if (before.revoked_at !== null) rejectChangeOfRevoked(input);
  const policyBefore = policyOfRow(before);
  const policy = changePolicy(policyBefore, input, circumstances);
  if (caller !== null && isExpired(policyBefore, now) && !isExpired(policy, now)) throw revivedByKey();
  rejectChangeOfBroaderKey(caller, policyBefore, fallback);
  rejectBroaderPolicy(caller, policy, fallback);
  const name = input.name ?? before.name;
  rejectLargeIdentity({ name, ...policy }, input);
  const disabledAt = disabledAfter(before, input, now);
  const revives = isExpired(policyBefore, now) && !isExpired(policy, now);
  const enables = before.disabled_at !== null && disabledAt === null;
  return {
    policy,
    name,
    metadata: input.metadata === undefined ? before.metadata : formatStoredMetadata(input.metadata),
    disabledAt,
    resumedAt: revives || enables ? now : before.resumed_at,
  };
}

function changePolicy(
  before: KeyPolicy,
  { scopes, expiresAt, allowedAddresses, rateLimit, externalId }: ChangeKey,
  { rules, now }: Circumstances,
): KeyPolicy {
  return {
    ...before,
    ...(scopes !== undefined && { scopes: scopes ?? [] }),
    ...(expiresAt !== undefined && { expiresAt: chooseExpiry(expiresAt, rules, now) ?? null }),
    ...(allowedAddresses !== undefined && { allowedAddresses: allowedAddresses?.join(' ') ?? '' }),
    ...(rateLimit !== undefined && { rateLimit }),
    ...(externalId !== undefined && { externalId }),
  };
}

/** Keeps the first time: disabling a disabled key changes nothing. */
function disabledAfter(before: KeyRow, { disabled }: ChangeKey, now: number): number | null {
  if (disabled === undefined) return before.disabled_at;
  return disabled ? (before.disabled_at ?? now) : null;
}

function isExpired({ expiresAt }: KeyPolicy, now: number): boolean {
  return expiresAt !== null && expiresAt <= now;
}

const changeableWhenRevoked: ReadonlySet<string> = new Set(['name', 'metadata']);

function rejectChangeOfRevoked(input: ChangeKey): void {
  const field = Object.keys(input).find((name) => !changeableWhenRevoked.has(name));
  if (field === undefined) return;
  throw new RequestError({
    code: 'key_revoked',
    message: `This key is revoked, so ${field} cannot be changed. Only its name and metadata can.`,
    details: [{ path: field, problem: 'cannot be changed, because the key is revoked' }],
  });
}

function revivedByKey(): RequestError {
  return new RequestError({
    code: 'session_required',
    message: 'This key has expired. Only people can give it a later date: sign in to the dashboard.',
  });
}
