import type { ErrorCode } from '@soku/contract/error-codes';
import type { ApiProblem } from '../http/errors.ts';
import { limitFields } from '../limits/fields.ts';
import type { LimitState } from '../limits/sliding-window.ts';

/** Credentials that came, but are no key: only these count against an address. */
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
  message: 'The key could not be checked, because the database did not answer. Try again in a moment.',
};

export const unknownKey: ApiProblem = {
  code: 'unknown_key',
  message:
    'This key is well formed, but not known here. Is it from another deployment, or was its account deleted?',
};

/** @param at epoch ms; NaN when it is not known */
export function revokedKey(at: number): ApiProblem {
  const when = Number.isNaN(at) ? '' : ` at ${new Date(at).toISOString()}`;
  return { code: 'revoked_key', message: `This key was revoked${when}. Make a new one and use that.` };
}

/** @param at epoch ms */
export function retiredSecret(at: number): ApiProblem {
  return {
    code: 'revoked_key',
    message: `This key was rotated, and this secret of it retired at ${new Date(at).toISOString()}. Use the new one.`,
  };
}

/** @param at epoch ms */
export function expiredKey(at: number): ApiProblem {
  return {
    code: 'expired_key',
    message: `This key expired at ${new Date(at).toISOString()}. Make a new one.`,
  };
}

export function missingScope(scope: string): ApiProblem {
  return {
    code: 'insufficient_scope',
    message: `This key is good, but does not have the scope ${scope}, which this call needs.`,
    scope,
  };
}

/** A 429: who makes too many requests is told how many there may be, and when the next one passes. */
export function rateLimited(limit: LimitState): ApiProblem {
  const { policy, limit: quota, resetSeconds } = limit;
  const wait = `Try again in ${resetSeconds} ${resetSeconds === 1 ? 'second' : 'seconds'}.`;
  const message =
    policy === 'key'
      ? `This key may make ${quota} requests a minute, and has made them. ${wait}`
      : `From this address came ${quota} requests without a right key within a minute. ${wait}`;
  return {
    code: 'rate_limited',
    message,
    headers: { ...limitFields(limit), 'retry-after': String(resetSeconds) },
  };
}
