import type { ApiProblem } from '../http/errors.ts';
import { expiredKey, missingScope, retiredSecret } from './rejections.ts';

/** What a secret permits, and until when. */
export interface Policy {
  /** Epoch ms from which the secret is rejected although its key is valid; Infinity means never. */
  retiresAt: number;
  /** Epoch ms; Infinity means never. */
  expiresAt: number;
  /** As stored. A scope that this version does not know grants nothing, because no call requires it. */
  scopes: readonly string[];
  /** Requests per minute; null means no limit. */
  rateLimit: number | null;
}

/** What a request requires of a key. */
interface Requirements {
  /** The scopes that the key must have. */
  needs?: readonly string[] | undefined;
  /** The rejection if no key is allowed. */
  denied?: ApiProblem | undefined;
}

/**
 * Checks a secret that is not revoked, in the order of the contract: retired, expired, scope. The rate limit comes last
 * and is not checked here, because checking it counts the request: the verifier does so only for requests that pass.
 *
 * @param now epoch ms
 * @returns the rejection; undefined if only the rate limit remains to be checked
 */
export function checkPolicy(
  policy: Policy,
  { needs, denied }: Requirements,
  now: number,
): ApiProblem | undefined {
  if (policy.retiresAt <= now) return retiredSecret(policy.retiresAt);
  if (policy.expiresAt <= now) return expiredKey(policy.expiresAt);
  if (denied !== undefined || needs === undefined) return denied;
  const missing = needs.find((scope) => !policy.scopes.includes(scope));
  return missing === undefined ? undefined : missingScope(missing);
}
