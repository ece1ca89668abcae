import type { Key } from '@soku/contract/keys';

/** A key as it was before its first use. */
export function withoutUse(key: Key): Key {
  const secrets = key.secrets.map((secret) => ({ ...secret, lastUsedAt: null }));
  return { ...key, lastUsedAt: null, secrets };
}
