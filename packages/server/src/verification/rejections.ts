import type { ErrorCode } from '@soku/contract/error-codes';
import type { ApiProblem } from '../http/errors.ts';
import { limitFields } from '../limits/fields.ts';
import type { LimitState } from '../limits/sliding-window.ts';

<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773:packages/server/src/verification/rejections.ts
/** Credentials that came, but are no key: only these count against an address. */
export const guessCodes: ReadonlySet<ErrorCode> = new Set([
=======
/** Rejections of credentials that are not a known key. Only these count against an IP address. */
export const guesses: ReadonlySet<ErrorCode> = new Set([
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc:packages/server/src/verification/refusals.ts
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

export const unknownKey: ApiProblem = {
  code: 'unknown_key',
  message:
    'This key is well formed but unknown. It may belong to another deployment, or it was deleted with its account.',
};

<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773:packages/server/src/verification/rejections.ts
/** @param at epoch ms; NaN when it is not known */
export function revokedKey(at: number): ApiProblem {
=======
/** @param at epoch ms; NaN if unknown */
export function revoked(at: number): Refusal {
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc:packages/server/src/verification/refusals.ts
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
    message: `This key expired at ${new Date(at).toISOString()}. Create a new key to replace it.`,
  };
}

export function missingScope(scope: string): ApiProblem {
  return {
    code: 'insufficient_scope',
    message: `This key is valid, but it lacks the scope ${scope}, which this call requires.`,
    scope,
  };
}

<<<<<<< 553f3d2e8d2ac735c3bdd3ed9c46cb974e89b773:packages/server/src/verification/rejections.ts
/** A 429: who makes too many requests is told how many there may be, and when the next one passes. */
export function rateLimited(limit: LimitState): ApiProblem {
=======
/** A 429 with the limit and the time until the next request passes. */
export function rateLimited(limit: LimitState): Refusal {
>>>>>>> 589cbf51e780b025d5652db8b4e5067173dc75fc:packages/server/src/verification/refusals.ts
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
