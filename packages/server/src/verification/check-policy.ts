import type { Environment } from '@soku/contract/key-policy';
import { coversScope } from '@soku/contract/scopes';
import type { ApiProblem } from '../http/errors.ts';
import type { AllowedAddresses } from './allowed-addresses.ts';
import {
  addressNotAllowed,
  disabledKey,
  expiredKey,
  missingScope,
  retiredSecret,
  wrongEnvironment,
} from './rejections.ts';

/** What a secret permits, and until when. */
export interface Policy {
  /** Epoch ms from which the secret is rejected although its key is valid; Infinity means never. */
  retiresAt: number;
  /** Epoch ms; Infinity means never. */
  expiresAt: number;
  disabled: boolean;
  environment: Environment;
  /** null means all. */
  allowedAddresses: AllowedAddresses | null;
  /** Grants, as stored. One that this version does not know grants nothing, because no call requires it. */
  scopes: readonly string[];
  /** Requests per minute; null means no limit. */
  rateLimit: number | null;
}

/** What a request requires of a key. */
interface UseRequirements {
  /** The IP address of the client. Absent: unknown, so that a key with allowed addresses is rejected. */
  address?: string | undefined;
  /** The environment that the key must have. */
  environment: Environment | 'any';
  /** The scopes that the key must have. */
  needs?: readonly string[] | undefined;
  /** The rejection if no key is allowed. */
  denied?: ApiProblem | undefined;
}

/**
 * Checks a secret that is not revoked, in the order of the contract: retired, expired, disabled, environment, address,
 * scope. The rate limit comes last and is not checked here, because checking it counts the request: the verifier does so
 * only for requests that pass.
 *
 * @param now epoch ms
 * @returns the rejection; undefined if only the rate limit remains to be checked
 */
export function checkPolicy(
  policy: Omit<Policy, 'rateLimit'>,
  required: UseRequirements,
  now: number,
): ApiProblem | undefined {
  if (policy.retiresAt <= now) return retiredSecret(policy.retiresAt);
  if (policy.expiresAt <= now) return expiredKey(policy.expiresAt);
  if (policy.disabled) return disabledKey;
  return checkUse(policy, required);
}

function checkUse(
  policy: Pick<Policy, 'environment' | 'allowedAddresses' | 'scopes'>,
  required: UseRequirements,
): ApiProblem | undefined {
  const { address, environment, needs, denied } = required;
  if (environment !== 'any' && policy.environment !== environment)
    return wrongEnvironment(policy.environment);
  // An unknown address is in no block.
  if (policy.allowedAddresses?.has(address ?? '') === false) return addressNotAllowed(address);
  if (denied !== undefined || needs === undefined) return denied;
  const missing = needs.find((scope) => !coversScope(policy.scopes, scope));
  return missing === undefined ? undefined : missingScope(missing);
}
