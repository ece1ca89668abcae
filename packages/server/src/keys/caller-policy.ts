import type { Environment } from '@soku/contract/key-policy';
import type { RateLimit } from '@soku/contract/rate-limits';
import { coversGrant } from '@soku/contract/scopes';
import type { Caller } from '../http/caller.ts';
import { type ApiProblem, RequestError } from '../http/errors.ts';
import {
  effectiveQuota,
  parseStoredRateLimit,
  rateLimitToNumber,
  type StoredLimits,
} from '../limits/rate-limit.ts';
import { includesAddresses } from '../verification/allowed-addresses.ts';

/*
 * A key must not bypass its restrictions by creating a key with fewer ones, or by changing another key. So it can create
 * and change only keys whose policy its own policy covers. A person can grant everything.
 */

/** What a key may do. */
export interface KeyPolicy {
  /** Grants. */
  scopes: readonly string[];
  /** Epoch ms; null: never. */
  expiresAt: number | null;
  /** Canonical, separated by spaces; '': all. */
  allowedAddresses: string;
  environment: Environment;
  /** null: the limit of the workspace. */
  rateLimit: RateLimit | null;
  externalId: string | null;
}

/** The policy of the calling key, read in the transaction of its command. */
export interface CallerPolicy extends KeyPolicy {
  /** The stored limits of the key and its workspace. */
  limits: StoredLimits;
}

/** The policy that a call requests for a new key; undefined: not stated. */
export interface RequestedPolicy {
  scopes: readonly string[];
  expiresAt: number | null | undefined;
  allowedAddresses: string | undefined;
  environment: Environment | undefined;
  rateLimit: RateLimit | null;
  externalId: string | null;
}

/**
 * The policy of a new key. If a key creates it, the new key inherits each setting that the call omits,
 * except the scopes.
 *
 * @param creator null for a person
 * @param fallback SOKU_KEY_RATE_LIMIT
 * @throws {RequestError} insufficient_scope, invalid_request
 */
export function policyOfNewKey(
  creator: CallerPolicy | null,
  requested: RequestedPolicy,
  fallback: RateLimit,
): KeyPolicy {
  const policy = {
    scopes: requested.scopes,
    expiresAt: requested.expiresAt ?? creator?.expiresAt ?? null,
    allowedAddresses: requested.allowedAddresses ?? creator?.allowedAddresses ?? '',
    environment: requested.environment ?? creator?.environment ?? 'live',
    rateLimit: requested.rateLimit ?? inheritedLimit(creator, fallback),
    externalId: requested.externalId ?? creator?.externalId ?? null,
  };
  rejectBroaderPolicy(creator, policy, fallback);
  return policy;
}

/** The creator's own limit if that is lower than the limit of the workspace. */
function inheritedLimit(creator: CallerPolicy | null, fallback: RateLimit): RateLimit | null {
  if (creator === null) return null;
  const workspaceQuota = effectiveQuota({ own: null, workspace: creator.limits.workspace }, fallback);
  return effectiveQuota(creator.limits, fallback) < workspaceQuota
    ? parseStoredRateLimit(creator.limits.own)
    : null;
}

/**
 * Rejects a policy that permits more than that of the calling key.
 *
 * @param caller null for a person
 * @param fallback SOKU_KEY_RATE_LIMIT
 * @throws {RequestError} insufficient_scope, invalid_request
 */
export function rejectBroaderPolicy(
  caller: CallerPolicy | null,
  policy: KeyPolicy,
  fallback: RateLimit,
): void {
  const problem = caller && findBroaderPart(caller, policy, fallback);
  if (problem) throw new RequestError(problem);
}

/**
 * Rejects a change of a key whose policy permits more than that of the calling key. The parameters are those of
 * `rejectBroaderPolicy`.
 *
 * @throws {RequestError} insufficient_scope, invalid_request
 */
export function rejectChangeOfBroaderKey(
  caller: CallerPolicy | null,
  policy: KeyPolicy,
  fallback: RateLimit,
): void {
  const problem = caller && findBroaderPart(caller, policy, fallback);
  if (!problem) return;
  const message = `The calling key cannot change a key with more permissions than its own. ${problem.message}`;
  throw new RequestError({ ...problem, message });
}

/** @returns the first part of a policy that permits more than that of the calling key */
function findBroaderPart(
  caller: CallerPolicy,
  { scopes, expiresAt, allowedAddresses, environment, rateLimit, externalId }: KeyPolicy,
  fallback: RateLimit,
): ApiProblem | undefined {
  const missing = scopes.find((scope) => !coversGrant(caller.scopes, scope));
  if (missing !== undefined) return missingGrant(missing);
  if (caller.expiresAt !== null && (expiresAt === null || expiresAt > caller.expiresAt))
    return invalidField('expiresAt', 'must not be later than the expiration date of the calling key');
  if (!includesAddresses(caller.allowedAddresses, allowedAddresses))
    return invalidField('allowedAddresses', 'must be among the allowed addresses of the calling key');
  if (environment !== caller.environment)
    return invalidField('environment', `must be ${caller.environment}, as for the calling key`);
  if (caller.externalId !== null && externalId !== caller.externalId)
    return invalidField('externalId', 'must be that of the calling key');
  return findHigherLimit(caller.limits, rateLimit, fallback);
}

function missingGrant(missing: string): ApiProblem {
  return {
    code: 'insufficient_scope',
    message: `A key cannot grant scopes that it does not have, and this key does not have ${missing}.`,
    details: [{ path: 'scopes', problem: `must not include ${missing}` }],
    scope: missing,
  };
}

function findHigherLimit(
  own: StoredLimits,
  requested: RateLimit | null,
  fallback: RateLimit,
): ApiProblem | undefined {
  const quota =
    requested === null
      ? effectiveQuota({ own: null, workspace: own.workspace }, fallback)
      : rateLimitToNumber(requested);
  const max = effectiveQuota(own, fallback);
  if (quota <= max) return undefined;
  return invalidField('rateLimit', `must not be higher than ${max}, the limit of the calling key`);
}

/** Rejects a field of the body. @param problem continues a sentence that starts with the field */
export function invalidFieldError(path: string, problem: string): RequestError {
  return new RequestError(invalidField(path, problem));
}

function invalidField(path: string, problem: string): ApiProblem {
  return { code: 'invalid_request', message: `${path} ${problem}.`, details: [{ path, problem }] };
}

/** Whether a caller may read a key. Every key may read itself. */
export function mayRead(caller: Caller, keyId: string): boolean {
  return caller.actor.id === keyId || caller.scopes.includes('keys:read');
}
