/** Formats scopes for the column api_key.scopes: sorted, unique, separated by spaces; '' for none. */
export function formatStoredScopes(scopes: readonly string[]): string {
  return [...new Set(scopes)].sort().join(' ');
}

/**
 * Parses the scopes in the column. An unknown scope, written by a newer version, is kept: it grants nothing here, and
 * must not prevent the key from being listed, used or revoked. Invalid values are omitted, because scopes are also
 * written to header fields.
 */
export function parseStoredScopes(stored: string): string[] {
  return stored.split(' ').filter((scope) => /^[\x21-\x7e]{1,64}$/.test(scope));
}
