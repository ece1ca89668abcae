import type { ApiProblem } from '../http/errors.ts';
import { expiredKey, missingScope, retiredSecret } from './rejections.ts';

/** What a secret may do, and until when. */
export interface Policy {
  /** Epoch ms from which on the secret is no longer accepted, although its key is; Infinity is never. */
  retiresAt: number;
  /** Epoch ms; Infinity is never. */
  expiresAt: number;
  /** As stored. One that this version does not know grants nothing, because nothing asks for it. */
  scopes: readonly string[];
  /** Requests a minute; null is no limit. */
  rateLimit: number | null;
}

/** What a request asks of a key. */
interface Demand {
  /** The scopes that the key must have. */
  needs?: readonly string[] | undefined;
  /** Why no key may do it. */
  denied?: ApiProblem | undefined;
}

/**
 * Judges a secret that is not revoked, in the contract's order: retired, expired, scope. Its limit comes last and is
 * not judged here, because a look at it counts: the verifier takes it only of a request that this lets pass.
 *
 * @param now epoch ms
 * @returns why the request is rejected; undefined when it may go on to the limit
 */
export function judge(policy: Policy, { needs, denied }: Demand, now: number): ApiProblem | undefined {
  if (policy.retiresAt <= now) return retiredSecret(policy.retiresAt);
  if (policy.expiresAt <= now) return expiredKey(policy.expiresAt);
  if (denied !== undefined || needs === undefined) return denied;
  const missing = needs.find((scope) => !policy.scopes.includes(scope));
  return missing === undefined ? undefined : missingScope(missing);
}
