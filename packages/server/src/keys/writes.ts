import type { ChangeKey } from '@soku/contract/keys';
import type { RateLimit } from '@soku/contract/rate-limits';
import type { Scope } from '@soku/contract/scopes';
import type { Kysely } from 'kysely';
import { lockRow } from '../database/dialect.ts';
import { foldName } from '../database/fold-name.ts';
import type { Tables } from '../database/schema.ts';
import { formatStoredScopes } from '../database/stored-scopes.ts';
import { formatStoredRateLimit, type StoredLimits } from '../limits/rate-limit.ts';
import { planRevoke, revocableKeysQuery } from './descendants.ts';
import { hasStatus } from './list-filter.ts';
import { type KeyRow, KeyStore, keyRowColumns } from './store.ts';

// The writes of key commands. Call each function inside the transaction of its command.

export interface NewKey {
  id: string;
  workspaceId: string;
  createdBy: string;
  /** Whether createdBy is a key. */
  createdByKey: boolean;
  name: string;
  scopes: readonly Scope[];
  /** Epoch ms. */
  expiresAt: number | null;
  /** Epoch ms. */
  createdAt: number;
  hash: Uint8Array;
  preview: { prefix: string; previewStart: string; previewEnd: string };
}

/** Checks a change against the limits of the calling key, or null for a person. Throws to reject it. */
type Permit<T> = (callerLimits: StoredLimits | null) => T;

/** How long an Idempotency-Key is stored, in ms. */
const idempotencyLife = 24 * 60 * 60 * 1000;

/**
 * Writes a key, its secret and its Idempotency-Key.
 *
 * @param token the hash of the Idempotency-Key
 * @param maxActive the maximum number of active keys in the workspace
 * @param limitOf returns the limit of the key
 */
export async function insertKey(
  db: Kysely<Tables>,
  key: NewKey,
  token: Uint8Array | null,
  maxActive: number,
  limitOf: Permit<RateLimit | null>,
): Promise<
  | { outcome: 'created'; rateLimit: RateLimit | null }
  | { outcome: 'creator revoked' }
  | { outcome: 'replayed'; keyId: string }
  | { outcome: 'full' }
> {
  // Concurrent creations in the workspace wait for this lock and then count this key.
  await lockRow(db, 'workspace', key.workspaceId);
  const creator = key.createdByKey ? await limitsOfUnrevoked(db, key.createdBy) : null;
  if (creator === undefined) return { outcome: 'creator revoked' };
  if (token !== null) {
    const earlier = await findIdempotent(db, key.workspaceId, token, key.createdAt);
    if (earlier !== undefined) return { outcome: 'replayed', keyId: earlier };
  }
  const active = await countActive(db, key.workspaceId, key.createdAt);
  if (active >= maxActive) return { outcome: 'full' };
  const rateLimit = limitOf(creator);
  await insertRows(db, key, token, rateLimit);
  return { outcome: 'created', rateLimit };
}

/**
 * Reads the limits of the calling key in the transaction of its command: a key that is being revoked must not create
 * another key, and a key whose limit is being lowered must not grant the old one (ASVS 5.0 15.4.2).
 *
 * @returns undefined if the key is revoked
 */
async function limitsOfUnrevoked(db: Kysely<Tables>, id: string): Promise<StoredLimits | undefined> {
  await lockRow(db, 'api_key', id);
  return db
    .selectFrom('api_key')
    .innerJoin('workspace', 'workspace.id', 'api_key.workspace_id')
    .select(['api_key.rate_limit as own', 'workspace.rate_limit as workspace'])
    .where('api_key.id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
}

async function findIdempotent(
  db: Kysely<Tables>,
  workspaceId: string,
  token: Uint8Array,
  now: number,
): Promise<string | undefined> {
  // Only in this workspace, whose row is locked. Deleting rows of other workspaces could deadlock two transactions.
  await db
    .deleteFrom('idempotency')
    .where('workspace_id', '=', workspaceId)
    .where('created_at', '<', now - idempotencyLife)
    .execute();
  const row = await db
    .selectFrom('idempotency')
    .select('key_id')
    .where('workspace_id', '=', workspaceId)
    .where('token_hash', '=', token)
    .executeTakeFirst();
  return row?.key_id;
}

async function countActive(db: Kysely<Tables>, workspaceId: string, now: number): Promise<number> {
  const row = await db
    .selectFrom('api_key')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('workspace_id', '=', workspaceId)
    .where(hasStatus('active', now))
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

async function insertRows(
  db: Kysely<Tables>,
  key: NewKey,
  token: Uint8Array | null,
  rateLimit: RateLimit | null,
): Promise<void> {
  await db
    .insertInto('api_key')
    .values({
      id: key.id,
      workspace_id: key.workspaceId,
      created_by: key.createdBy,
      name: key.name,
      name_folded: foldName(key.name),
      scopes: formatStoredScopes(key.scopes),
      expires_at: key.expiresAt,
      rate_limit: formatStoredRateLimit(rateLimit),
      created_at: key.createdAt,
      revoked_at: null,
      revoked_by: null,
    })
    .execute();
  await db
    .insertInto('api_key_secret')
    .values({
      hash: key.hash,
      key_id: key.id,
      prefix: key.preview.prefix,
      preview_start: key.preview.previewStart,
      preview_end: key.preview.previewEnd,
      created_at: key.createdAt,
    })
    .execute();
  if (token === null) return;
  await db
    .insertInto('idempotency')
    .values({
      workspace_id: key.workspaceId,
      token_hash: token,
      key_id: key.id,
      created_at: key.createdAt,
    })
    .execute();
}

/**
 * Changes the name or the limit of a key.
 *
 * @param byKey the id of the calling key; null for a person
 * @param permit called inside the transaction
 * @returns the key before the change
 */
export async function updateKey(
  db: Kysely<Tables>,
  { workspaceId, id, byKey }: { workspaceId: string; id: string; byKey: string | null },
  { name, rateLimit }: ChangeKey,
  permit: Permit<void>,
): Promise<{ outcome: 'updated'; before: KeyRow } | { outcome: 'not found' | 'caller revoked' }> {
  // Without this lock, two keys that change each other, each with its own row locked, would deadlock.
  if (byKey !== null) await lockRow(db, 'workspace', workspaceId);
  const callerLimits = byKey === null ? null : await limitsOfUnrevoked(db, byKey);
  if (callerLimits === undefined) return { outcome: 'caller revoked' };
  permit(callerLimits);
  const before = await new KeyStore(db).find(workspaceId, id, { locked: true });
  if (before === undefined) return { outcome: 'not found' };
  await db
    .updateTable('api_key')
    .set({
      ...(name === undefined ? {} : { name, name_folded: foldName(name) }),
      ...(rateLimit === undefined ? {} : { rate_limit: formatStoredRateLimit(rateLimit) }),
    })
    .where('id', '=', id)
    .execute();
  return { outcome: 'updated', before };
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
