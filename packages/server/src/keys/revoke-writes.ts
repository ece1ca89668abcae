import type { Kysely } from 'kysely';
import { lockRow } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { planRevoke, revocableKeysQuery } from './descendants.ts';
import { type KeyRow, KeyStore, keyRowColumns } from './store.ts';

// The writes of revokes. Call each function inside the transaction of its command.

/** The result of a revoke. */
export interface RevokeResult {
  /** The key after the revoke. */
  key: KeyRow;
  /** The keys that this call revoked. They include the key itself unless it was already revoked. */
  revoked: { id: string; name: string }[];
  /** Ids of keys whose hashes may be missing in the journal, after this revoke or an earlier one of the same key. */
  journalKeyIds: string[];
}

/**
 * Revokes a key.
 *
 * @param at epoch ms
 * @param descendants whether to also revoke the keys that it created, the keys that those created, and so on
 * @returns undefined if the workspace has no key with this id
 * @throws {RequestError} too_many_descendants
 */
export async function writeRevocation(
  db: Kysely<Tables>,
  request: { workspaceId: string; id: string; by: string; at: number; descendants: boolean },
): Promise<RevokeResult | undefined> {
  const { workspaceId, id, by, at, descendants } = request;
  // Each creation takes the same lock. The statements below see a creation that came first, and a later one finds its
  // creator revoked. The lock also serializes two such revokes, and keys that change each other.
  if (descendants) await lockRow(db, 'workspace', workspaceId);
  const revokedNow = await revokeUnrevoked(db, request);
  const key = revokedNow ?? (await new KeyStore(db).find(workspaceId, id));
  if (key === undefined) return undefined;
  const own = revokedNow === undefined ? [] : [{ id, name: key.name }];
  if (!descendants) return { key, revoked: own, journalKeyIds: [id] };
  const { revoke, keep } = planRevoke(await revocableKeysQuery(db, id, workspaceId).execute());
  if (revoke.length > 0) {
    const ids = revoke.map((one) => one.id);
    await db
      .updateTable('api_key')
      .set({ revoked_at: at, revoked_by: by })
      .where('id', 'in', ids)
      .where('revoked_at', 'is', null)
      .execute();
  }
  return { key, revoked: [...own, ...revoke], journalKeyIds: keep };
}

/**
 * Locks, changes and reads in one statement, which is one round trip on PostgreSQL.
 *
 * @returns the key after the revoke; undefined if the workspace has no unrevoked key with this id
 */
async function revokeUnrevoked(
  db: Kysely<Tables>,
  { workspaceId, id, by, at }: { workspaceId: string; id: string; by: string; at: number },
): Promise<KeyRow | undefined> {
  return db
    .updateTable('api_key')
    .set({ revoked_at: at, revoked_by: by })
    .where('id', '=', id)
    .where('workspace_id', '=', workspaceId)
    .where('revoked_at', 'is', null)
    .returning(keyRowColumns)
    .executeTakeFirst();
}
