import { type Scope, scopeSchema } from '@soku/contract/scopes';

/** Scopes as the column api_key.scopes has them: sorted, without repetitions, separated by spaces; '' for none. */
export function writeScopes(scopes: readonly Scope[]): string {
  return [...new Set(scopes)].sort().join(' ');
}

/** @throws when the column holds what is no scope */
export function readScopes(stored: string): Scope[] {
  return stored
    .split(' ')
    .filter(Boolean)
    .map((scope) => scopeSchema.parse(scope));
}
