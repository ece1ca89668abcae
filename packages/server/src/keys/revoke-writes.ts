import type { RevokeReason } from '@soku/contract/key-policy';
import type { Kysely } from 'kysely';
import { lockRow } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import type { CommandChange } from '../propagation/propagation.ts';
import { planRevoke, revocableKeysQuery } from './descendants.ts';
import { type KeyRow, KeyStore, keyRowColumns } from './store.ts';

// The writes of revokes. Call each function inside the transaction of its command.

/** Who revokes keys of a workspace, and why. */
export interface RevokeRequest {
  workspaceId: string;
  by: string;
  /** Epoch ms. */
  at: number;
  /** null: none was given. */
  reason: RevokeReason | null;
}

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
 * @param descendants whether to also revoke the keys that it created, the keys that those created, and so on
 * @returns undefined if the workspace has no key with this id
 * @throws {RequestError} too_many_descendants
 */
export async function writeRevocation(
  db: Kysely<Tables>,
  request: RevokeRequest & { id: string; descendants: boolean },
): Promise<RevokeResult | undefined> {
  const { workspaceId, id, descendants } = request;
  // Each creation takes the same lock. The statements below see a creation that came first, and a later one finds its
  // creator revoked. The lock also serializes two such revokes, and keys that change each other.
  if (descendants) await lockRow(db, 'workspace', workspaceId);
  const revokedNow = await revokeUnrevoked(db, request);
  const key = revokedNow ?? (await new KeyStore(db).find(workspaceId, id));
  if (key === undefined) return undefined;
  const own = revokedNow === undefined ? [] : [{ id, name: key.name }];
  if (!descendants) return { key, revoked: own, journalKeyIds: [id] };
  const { revoke, journalKeyIds } = planRevoke(await revocableKeysQuery(db, id, workspaceId).execute());
  if (revoke.length > 0) {
    const ids = revoke.map((one) => one.id);
    await db
      .updateTable('api_key')
      .set(revokedColumns(request))
      .where('id', 'in', ids)
      .where('revoked_at', 'is', null)
      .execute();
  }
  return { key, revoked: [...own, ...revoke], journalKeyIds };
}

/** A revoke that changes nothing is also published, because the call that revoked these keys may still be waiting. */
export function changedByRevoke({ key, revoked, journalKeyIds }: RevokeResult): CommandChange {
  return { kind: 'revoked', ids: journalKeyIds, ...(revoked.length === 0 && { republish: key.id }) };
}

/**
 * Locks, changes and reads in one statement, which is one round trip on PostgreSQL.
 *
 * @returns the key after the revoke; undefined if the workspace has no unrevoked key with this id
 */
async function revokeUnrevoked(
  db: Kysely<Tables>,
  request: RevokeRequest & { id: string },
): Promise<KeyRow | undefined> {
  return db
    .updateTable('api_key')
    .set(revokedColumns(request))
    .where('id', '=', request.id)
    .where('workspace_id', '=', request.workspaceId)
    .where('revoked_at', 'is', null)
    .returning(keyRowColumns)
    .executeTakeFirst();
}

/** The columns of a revoked key. */
export function revokedColumns({ at, by, reason }: Pick<RevokeRequest, 'at' | 'by' | 'reason'>) {
  return { revoked_at: at, revoked_by: by, revoked_reason: reason };
}

/** The result of a bulk revoke. */
export interface BulkRevokeResult {
  /** The keys that this call revoked. */
  revoked: { id: string; name: string }[];
  /** Ids of keys that were revoked before. */
  alreadyRevoked: string[];
  /** Ids that the workspace does not have. The caller must roll back if there are any. */
  missing: string[];
}

/**
 * Revokes some keys.
 *
 * @param ids without duplicates
 */
export async function writeRevocations(
  db: Kysely<Tables>,
  request: RevokeRequest,
  ids: readonly string[],
): Promise<BulkRevokeResult> {
  // Two calls with the same keys would lock their rows in different orders and deadlock.
  await lockRow(db, 'workspace', request.workspaceId);
  const revoked = await db
    .updateTable('api_key')
    .set(revokedColumns(request))
    .where('id', 'in', ids)
    .where('workspace_id', '=', request.workspaceId)
    .where('revoked_at', 'is', null)
    .returning(['id', 'name'])
    .execute();
  const now = new Set(revoked.map(({ id }) => id));
  const others = ids.filter((id) => !now.has(id));
  if (others.length === 0) return { revoked, alreadyRevoked: [], missing: [] };
  const found = await db
    .selectFrom('api_key')
    .select('id')
    .where('id', 'in', others)
    .where('workspace_id', '=', request.workspaceId)
    .execute();
  const existing = new Set(found.map(({ id }) => id));
  return {
    revoked,
    alreadyRevoked: others.filter((id) => existing.has(id)),
    missing: others.filter((id) => !existing.has(id)),
  };
}

/**
 * Finds a secret and locks its key.
 *
 * @returns undefined if the workspace has no such key with this secret
 */
export async function findOwnSecret(
  db: Kysely<Tables>,
  workspaceId: string,
  keyId: string,
  hash: Uint8Array,
): Promise<{ key: KeyRow; id: string; isNewest: boolean } | undefined> {
  const store = new KeyStore(db);
  const key = await store.find(workspaceId, keyId, { locked: true });
  const secret = await db
    .selectFrom('api_key_secret')
    .select('id')
    .where('hash', '=', hash)
    .where('key_id', '=', keyId)
    .executeTakeFirst();
  if (key === undefined || secret === undefined) return undefined;
  const [newest] = (await store.secretsOf([keyId])).get(keyId) ?? [];
  return { key, id: secret.id, isNewest: newest?.id === secret.id };
}
