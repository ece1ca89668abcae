/** What the scope picker offers, and the descriptions of a key's grants. */
import type { CatalogScope } from '@soku/contract/scope-catalog';
import { builtInScopeDescriptions, builtInScopeSchema, coversScope } from '@soku/contract/scopes';

/** Which scopes of the workspace's own API a key gets. */
export type ScopeChoice = 'none' | 'read' | 'all' | 'custom';

/** @param own the workspace's own scopes */
export function readOnlyScopes(own: readonly CatalogScope[]): string[] {
  return own.map(({ name }) => name).filter((name) => name.endsWith(':read'));
}

export function isBuiltIn(grant: string): boolean {
  return builtInScopeSchema.safeParse(grant).success;
}

/** The choice that leads to these grants. */
export function choiceOf(grants: readonly string[], own: readonly CatalogScope[]): ScopeChoice {
  const others = grants.filter((grant) => !isBuiltIn(grant));
  if (others.length === 0) return 'none';
  if (others.join() === '*') return 'all';
  return others.toSorted().join() === readOnlyScopes(own).toSorted().join() ? 'read' : 'custom';
}

export interface OfferedGrant {
  grant: string;
  text: string;
}

/**
 * What can be checked one by one: each scope, and before those that share a prefix, a wildcard for all of them. Grants
 * that the key already has and that are not in the catalog come last.
 */
export function offeredGrants(own: readonly CatalogScope[], held: readonly string[]): OfferedGrant[] {
  const offered = new Map<string, string>();
  for (const { name, description } of own) {
    const prefix = name.slice(0, name.indexOf(':') + 1);
    const wildcard = `${prefix}*`;
    const isShared = prefix !== '' && own.filter((other) => other.name.startsWith(prefix)).length > 1;
    if (isShared && !offered.has(wildcard)) offered.set(wildcard, describeWildcard(wildcard));
    offered.set(name, description);
  }
  for (const grant of held) {
    if (!offered.has(grant) && !isBuiltIn(grant)) offered.set(grant, describeGrant(grant, own));
  }
  return [...offered].map(([grant, text]) => ({ grant, text }));
}

/** Describes a grant of a key. A newer version may have stored a grant that this version does not know. */
export function describeGrant(grant: string, catalog: readonly CatalogScope[] | undefined): string {
  const { data: builtIn } = builtInScopeSchema.safeParse(grant);
  if (builtIn !== undefined) return builtInScopeDescriptions[builtIn];
  if (grant === '*' || grant.endsWith(':*')) return describeWildcard(grant);
  const known = catalog?.find(({ name }) => name === grant);
  if (catalog === undefined || known) return known?.description ?? '';
  return 'No longer in the catalog.';
}

function describeWildcard(grant: string): string {
  if (grant === '*') return 'All scopes of your API, including those that are added later.';
  return `All scopes that start with "${grant.slice(0, -1)}", including those that are added later.`;
}

/** Without the grants that a wildcard among them covers. */
export function withoutCovered(grants: readonly string[]): string[] {
  return grants.filter((grant) => {
    const others = grants.filter((other) => other !== grant);
    return !coversScope(others, grant);
  });
}
