import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { parseStoredScopes } from '../database/stored-scopes.ts';
import type { ScopeHolders } from '../scopes/service.ts';

/** Number of keys that are read at a time. A key has up to 6.5 kB of scopes. */
const pageSize = 1000;

/** Maximum number of names for each scope. */
const maxNames = 3;

/** The holders of a scope that were counted so far. */
interface Holders extends ScopeHolders {
  names: string[];
}

/**
 * Finds the unrevoked keys of a workspace that hold scopes by their names. Keys that hold a wildcard do not count.
 *
 * @returns one entry for each scope that a key holds
 */
export async function scopeHolders(
  db: Kysely<Tables>,
  workspaceId: string,
  scopes: readonly string[],
): Promise<ScopeHolders[]> {
  const found = new Map(scopes.map((scope): [string, Holders] => [scope, { scope, count: 0, names: [] }]));
  let after: string | undefined = '';
  while (after !== undefined) {
    const keys = await keysWithScopes(db, workspaceId, after);
    for (const key of keys) countHolder(found, key);
    after = keys.at(-1)?.id;
  }
  return [...found.values()].filter(({ count }) => count > 0);
}

/** @param after the id of the last key of the previous page */
async function keysWithScopes(db: Kysely<Tables>, workspaceId: string, after: string) {
  return db
    .selectFrom('api_key')
    .select(['id', 'name', 'scopes'])
    .where('workspace_id', '=', workspaceId)
    .where('revoked_at', 'is', null)
    .where('scopes', '<>', '')
    .where('id', '>', after)
    .orderBy('id')
    .limit(pageSize)
    .execute();
}

function countHolder(
  found: ReadonlyMap<string, Holders>,
  { name, scopes }: { name: string; scopes: string },
): void {
  for (const scope of parseStoredScopes(scopes)) {
    const holders = found.get(scope);
    if (holders === undefined) continue;
    holders.count += 1;
    if (holders.names.length < maxNames) holders.names.push(name);
  }
}
