import type { Scope } from '@soku/contract/scopes';

/** Scopes as the column api_key.scopes has them: sorted, without repetitions, separated by spaces; '' for none. */
export function writeScopes(scopes: readonly Scope[]): string {
  return [...new Set(scopes)].sort().join(' ');
}

/**
 * The scopes in the column. One that this version does not know, which a newer one has written, is read as it is: it
 * grants nothing here, and must not keep the key from being listed, used or revoked. What no version writes is left
 * out, because scopes also go into header fields.
 */
export function readScopes(stored: string): string[] {
  return stored.split(' ').filter((scope) => /^[\x21-\x7e]{1,64}$/.test(scope));
}
