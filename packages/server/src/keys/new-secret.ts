import type { Environment } from '@soku/contract/key-policy';
import { generateKey, hashKey, parseKey } from '@soku/key';
import { newId } from '../ids.ts';
import { invalidFieldError } from './caller-policy.ts';

/** A new secret of a key. */
export interface NewSecret {
  id: string;
  hash: Uint8Array;
  preview: { prefix: string; previewStart: string; previewEnd: string };
}

/** The prefixes of keys. */
export interface KeyPrefixes {
  /** Accepted prefixes. New keys get the first one. */
  prefixes: readonly [string, ...string[]];
  /** That of test keys. Undefined: every key is live. */
  testPrefix: string | undefined;
}

/**
 * The prefix of new secrets.
 *
 * @throws {RequestError} invalid_request if there are no test keys
 */
export function prefixOf(environment: Environment, { prefixes: [prefix], testPrefix }: KeyPrefixes): string {
  if (environment === 'live') return prefix;
  if (testPrefix !== undefined) return testPrefix;
  throw invalidFieldError(
    'environment',
    'must be live: this deployment has no test keys (SOKU_TEST_KEY_PREFIX)',
  );
}

/**
 * Creates a secret.
 *
 * @param now epoch ms
 * @returns the whole key, and what is stored
 */
export async function createSecret(
  prefix: string,
  now: number,
): Promise<{ apiKey: string; secret: NewSecret }> {
  const apiKey = generateKey({ prefix });
  const preview = parseKey(apiKey, [prefix]);
  if (preview === null) throw new Error('generateKey returned a key that parseKey rejects');
  return { apiKey, secret: { id: newId('sec_', now), hash: await hashKey(apiKey), preview } };
}
