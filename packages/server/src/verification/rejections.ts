import type { ErrorCode } from '@soku/contract/error-codes';
import type { Environment } from '@soku/contract/key-policy';
import { unknownClient } from '../http/client-address.ts';
import type { ApiProblem } from '../http/errors.ts';
import { limitFields } from '../limits/fields.ts';
import type { LimitState } from '../limits/sliding-window.ts';

/** Rejections of credentials that are not a known key. Only these count against an IP address. */
export const guessCodes: ReadonlySet<ErrorCode> = new Set([
  'malformed_authorization',
  'missing_bearer',
  'unsupported_scheme',
  'missing_prefix',
  'key_preview',
  'malformed_key',
  'mistyped_key',
  'unknown_key',
]);

export const verificationUnavailable: ApiProblem = {
  code: 'verification_unavailable',
  message: 'The key could not be checked, because the database did not respond. Try again in a moment.',
};

export const notAKey: ApiProblem = { code: 'malformed_key', message: 'This is not a key of this service.' };

export const unknownKey: ApiProblem = {
  code: 'unknown_key',
  message: 'This key is well formed but unknown. It may belong to another deployment or workspace.',
};

/** @param at epoch ms; NaN if unknown */
export function revokedKey(at: number): ApiProblem {
  const when = Number.isNaN(at) ? '' : ` at ${new Date(at).toISOString()}`;
  return { code: 'revoked_key', message: `This key was revoked${when}. Create a new key to replace it.` };
}

/** @param at epoch ms */
export function retiredSecret(at: number): ApiProblem {
  return {
    code: 'revoked_key',
    message: `This key was rotated, and the secret that you sent was retired at ${new Date(at).toISOString()}. Use the new secret.`,
  };
}

/** @param at epoch ms */
export function expiredKey(at: number): ApiProblem {
  return {
    code: 'expired_key',
    message: `This key expired at ${new Date(at).toISOString()}. Ask the account holder for a later expiration date, or create a new key.`,
  };
}

export const disabledKey: ApiProblem = {
  code: 'disabled_key',
  message: 'This key is disabled. Its account holder can enable it again in Settings > API.',
};

/** @param environment that of the key */
export function wrongEnvironment(environment: Environment): ApiProblem {
  const other = environment === 'live' ? 'test' : 'live';
  return {
    code: 'wrong_environment',
    message: `This is a ${environment} key, but only ${other} keys are accepted here.`,
  };
}

/** @param address that of the client, if known */
export function addressNotAllowed(address: string | undefined): ApiProblem {
  const isKnown = address !== undefined && address !== unknownClient;
  return {
    code: 'ip_not_allowed',
    message: isKnown
      ? `This key may not be used from the IP address ${address}.`
      : 'This key may only be used from certain IP addresses, and the address of the client is unknown. The operator must list the proxy in front of this server in TRUST_PROXY, and a back end that verifies keys must send ip.',
  };
}

export function missingScope(scope: string): ApiProblem {
  return {
    code: 'insufficient_scope',
    message: `This key is valid, but it lacks the scope ${scope}, which this call requires.`,
    scope,
  };
}

/** A 429 with the limit and the time until the next request passes. */
export function rateLimited(limit: LimitState): ApiProblem {
  const { policy, limit: quota, resetSeconds } = limit;
  const wait = `Try again in ${count(resetSeconds, 'second')}.`;
  const message =
    policy === 'key'
      ? `Rate limit exceeded: ${count(quota, 'request')} per minute with this key. ${wait}`
      : `Too many requests with invalid keys from this IP address: the limit is ${quota} per minute. ${wait}`;
  return {
    code: 'rate_limited',
    message,
    headers: { ...limitFields(limit), 'retry-after': String(resetSeconds) },
  };
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
