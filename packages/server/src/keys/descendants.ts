import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { RequestError } from '../http/errors.ts';

/** Maximum number of descendants in one revoke. Every verifier evicts all of them before the call returns. */
const maxDescendants = 10_000;
/** Number of rows to read in order to detect more: the key itself, and one above the maximum. */
const maxRows = maxDescendants + 2;

/** A key, or one that descends from it. */
interface Relative {
  id: string;
  name: string;
  /** Epoch ms. */
  revokedAt: number | null;
}

/** The effects of a revoke on a key and its descendants. */
interface Plan {
  /** The keys that are not revoked yet. They include the key itself unless it is already revoked. */
  revoke: { id: string; name: string }[];
  /** Ids of keys whose hashes may be missing in the journal, after this revoke or an earlier one of the same key. */
  journalKeyIds: string[];
}

/**
 * The query for planRevoke: the key, its descendants that are not revoked, and those that were revoked with the key or
 * later. Its limit is one row above the maximum. Neither database computes rows of a recursive query beyond the limit.
 */
export function revocableKeysQuery(db: Kysely<Tables>, keyId: string, workspaceId: string) {
  const since = db
    .selectFrom('api_key')
    .select('revoked_at')
    .where('id', '=', keyId)
    .where('workspace_id', '=', workspaceId);
  return familyOf(db, keyId, workspaceId)
    .where((where) =>
      where.or([where('id', '=', keyId), where('revoked_at', 'is', null), where('revoked_at', '>=', since)]),
    )
    .limit(maxRows);
}

/**
 * A query for a key, the keys that it created, the keys that those created, and so on, revoked or not, in the same
 * workspace.
 *
 * A recursive query misses keys that are created while it runs. So a revoke of its rows locks the workspace first. Each
 * creation takes the same lock before it checks whether its creator is revoked.
 */
function familyOf(db: Kysely<Tables>, keyId: string, workspaceId: string) {
  return db
    .withRecursive('family(id, name, revoked_at, expires_at)', (query) =>
      query
        .selectFrom('api_key')
        .select(['id', 'name', 'revoked_at', 'expires_at'])
        .where('id', '=', keyId)
        .where('workspace_id', '=', workspaceId)
        // UNION instead of UNION ALL, so that the query ends even if manual SQL has created a cycle.
        .union(
          query
            .selectFrom('family')
            // SQLite would scan all keys of the workspace for each row. With CROSS JOIN it keeps this join order.
            .crossJoin('api_key')
            .select(['api_key.id', 'api_key.name', 'api_key.revoked_at', 'api_key.expires_at'])
            .whereRef('api_key.created_by', '=', 'family.id')
            .where('api_key.workspace_id', '=', workspaceId),
        ),
    )
    .selectFrom('family')
    .select(['id', 'name', 'revoked_at as revokedAt', 'expires_at as expiresAt']);
}

/**
 * Finds the descendants of a key that are not revoked.
 *
 * @param now epoch ms
 * @returns their ids, and how many of them have not expired; undefined if the workspace has no such key
 */
export async function unrevokedDescendants(
  db: Kysely<Tables>,
  keyId: string,
  workspaceId: string,
  now: number,
) {
  const family = await familyOf(db, keyId, workspaceId)
    .where((where) => where.or([where('id', '=', keyId), where('revoked_at', 'is', null)]))
    .execute();
  if (family.length === 0) return undefined;
  const unrevoked = family.filter(({ id, revokedAt }) => id !== keyId && revokedAt === null);
  const active = unrevoked.filter(({ expiresAt }) => expiresAt === null || expiresAt > now);
  return { ids: unrevoked.map(({ id }) => id), active: active.length };
}

/**
 * @param family the rows of revocableKeysQuery, read in the transaction of the revoke
 * @throws {RequestError} too_many_descendants
 */
export function planRevoke(family: readonly Relative[]): Plan {
  if (family.length === maxRows) throw tooMany();
  const revoke = family.filter(({ revokedAt }) => revokedAt === null);
  return { revoke: revoke.map(({ id, name }) => ({ id, name })), journalKeyIds: family.map(({ id }) => id) };
}

function tooMany(): RequestError {
  const max = maxDescendants.toLocaleString('en');
  return new RequestError({
    code: 'too_many_descendants',
    message: `This key has more than ${max} descendants to revoke, too many for one call. No key was revoked. First revoke keys that it created, each with its descendants.`,
  });
}
