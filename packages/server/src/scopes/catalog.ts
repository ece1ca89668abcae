import type { ChangeScopes } from '@soku/contract/scope-catalog';
import { builtInScopeSchema } from '@soku/contract/scopes';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { RequestError } from '../http/errors.ts';

// The scopes that the keys of a workspace can hold, besides the built-in ones. To change them, or to give a key scopes,
// lock the row of the workspace first: otherwise a scope could be removed while a key is given it.

type OwnScope = ChangeScopes['scopes'][number];

/** @returns the scopes of a workspace, sorted by name */
export async function readCatalog(db: Kysely<Tables>, workspaceId: string): Promise<OwnScope[]> {
  const scopes = await db
    .selectFrom('scope')
    .select(['name', 'description'])
    .where('workspace_id', '=', workspaceId)
    .execute();
  // Not in SQL, because the collation of a PostgreSQL database may ignore colons.
  return scopes.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Call it with the row of the workspace locked. */
export async function writeCatalog(
  db: Kysely<Tables>,
  workspaceId: string,
  scopes: readonly OwnScope[],
): Promise<void> {
  await db.deleteFrom('scope').where('workspace_id', '=', workspaceId).execute();
  if (scopes.length === 0) return;
  const rows = scopes.map((scope) => ({ workspace_id: workspaceId, ...scope }));
  await db.insertInto('scope').values(rows).execute();
}

/**
 * Rejects grants that no scope of the workspace justifies. A grant must be a built-in scope, a scope of the catalog, a
 * prefix of one with `:*`, or `*`. Call it with the row of the workspace locked.
 *
 * @param held grants that the key already has. They stay allowed, whatever the catalog contains
 * @throws {RequestError} invalid_request
 */
export async function rejectUnknownGrants(
  db: Kysely<Tables>,
  workspaceId: string,
  grants: readonly string[],
  held: readonly string[] = [],
): Promise<void> {
  if (grants.every((grant) => isAlwaysKnown(grant) || held.includes(grant))) return;
  const isKnown = await readGrantCheck(db, workspaceId);
  const index = grants.findIndex((grant) => !isKnown(grant) && !held.includes(grant));
  const unknown = grants[index];
  if (unknown === undefined) return;
  throw new RequestError({
    code: 'invalid_request',
    message: `scopes.${index} ${unknownGrant(unknown)}. A person can add scopes in Settings > API > More actions > Scopes.`,
    details: [{ path: `scopes.${index}`, problem: unknownGrant(unknown) }],
  });
}

/** The problem of a grant that is not known. Continues a sentence that starts with the field. */
export function unknownGrant(grant: string): string {
  return grant.endsWith(':*')
    ? `is ${grant}, but the catalog of this workspace has no scope that starts with ${grant.slice(0, -1)}`
    : `is ${grant}, which is not in the scope catalog of this workspace`;
}

/**
 * Reads the catalog for the check of many grants. Call it with the row of the workspace locked.
 *
 * @returns whether keys of the workspace can be given a grant
 */
export async function readGrantCheck(
  db: Kysely<Tables>,
  workspaceId: string,
): Promise<(grant: string) => boolean> {
  const catalog = await readCatalog(db, workspaceId);
  const known = new Set(catalog.flatMap(({ name }) => [name, ...wildcardsAbove(name)]));
  return (grant) => isAlwaysKnown(grant) || known.has(grant);
}

function isAlwaysKnown(grant: string): boolean {
  return grant === '*' || builtInScopeSchema.safeParse(grant).success;
}

/** `files:*` and `files:images:*` for `files:images:read`. */
function wildcardsAbove(name: string): string[] {
  return [...name.matchAll(/:/g)].map(({ index }) => `${name.slice(0, index)}:*`);
}
