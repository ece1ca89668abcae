import type { Environment } from '@soku/contract/key-policy';

/** Parses the column api_key.environment. Anything else than `live`, written by hand, must not open production. */
export function parseStoredEnvironment(stored: string): Environment {
  return stored === 'live' ? 'live' : 'test';
}
