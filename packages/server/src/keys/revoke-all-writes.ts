import { revokeReasonSchema } from '@soku/contract/key-values';
import type { Kysely } from 'kysely';
import { isPostgres, lockRow } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { type RevokeRequest, revokedColumns } from './revoke-writes.ts';

/*
 * The writes of a call that revokes all keys of a workspace. One transaction for up to a million keys would hold their
 * locks, and with SQLite the only connection that writes, for minutes. So the first one only marks the workspace: from
 * then on, verification rejects all of its keys. Then each batch of keys has a transaction of its own, and the last one
 * removes the mark. Call each function inside a transaction.
 */

/**
 * Number of keys that one transaction revokes. With SQLite, verification waits for each. With PostgreSQL, 500 keys are one
 * change of the change log, and each transaction waits for the other nodes.
 */
const batchSize = { sqlite: 200, postgres: 500 };

/** Who revokes all keys of a workspace, when, and why. */
type Mark = Omit<RevokeRequest, 'workspaceId'>;

/** The number of keys of a workspace. */
export interface KeyCounts {
  revoked: number;
  unrevoked: number;
}

/** @returns the mark of a workspace whose keys are being revoked */
export async function readRevokeMark(db: Kysely<Tables>, workspaceId: string): Promise<Mark | undefined> {
  const row = await db
    .selectFrom('workspace')
    .select(['revoking_at', 'revoking_by', 'revoking_reason'])
    .where('id', '=', workspaceId)
    .executeTakeFirstOrThrow();
  if (row.revoking_at === null) return undefined;
  const reason = revokeReasonSchema.nullable().catch(null).parse(row.revoking_reason);
  return { at: row.revoking_at, by: row.revoking_by ?? '', reason };
}

/** Marks a workspace, whose row is locked and which is not marked yet. */
export async function writeRevokeMark(db: Kysely<Tables>, workspaceId: string, mark: Mark): Promise<void> {
  await db
    .updateTable('workspace')
    .set({ revoking_at: mark.at, revoking_by: mark.by, revoking_reason: mark.reason })
    .where('id', '=', workspaceId)
    .execute();
}

/** Counts the keys of a workspace. */
export async function countKeys(db: Kysely<Tables>, workspaceId: string): Promise<KeyCounts> {
  const count = async (operator: 'is' | 'is not') => {
    const row = await db
      .selectFrom('api_key')
      .select((eb) => eb.fn.countAll().as('count'))
      .where('workspace_id', '=', workspaceId)
      .where('revoked_at', operator, null)
      .executeTakeFirstOrThrow();
    return Number(row.count);
  };
  return { revoked: await count('is not'), unrevoked: await count('is') };
}

/** @returns a revoked key of a workspace */
export async function findRevoked(db: Kysely<Tables>, workspaceId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('api_key')
    .select('id')
    .where('workspace_id', '=', workspaceId)
    .where('revoked_at', 'is not', null)
    .limit(1)
    .executeTakeFirst();
  return row?.id;
}

/**
 * Revokes the next keys of a marked workspace, or removes the mark if none is left.
 *
 * @returns the ids of the keys, none after the last one; undefined if the workspace is not marked
 */
export async function revokeBatch(db: Kysely<Tables>, workspaceId: string): Promise<string[] | undefined> {
  // As in other commands that change several keys, so that none of them deadlocks with this one.
  await lockRow(db, 'workspace', workspaceId);
  const mark = await readRevokeMark(db, workspaceId);
  if (mark === undefined) return undefined;
  const revoked = await db
    .updateTable('api_key')
    .set(revokedColumns(mark))
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('api_key')
        .select('id')
        .where('workspace_id', '=', workspaceId)
        .where('revoked_at', 'is', null)
        .orderBy('id')
        .limit(isPostgres(db) ? batchSize.postgres : batchSize.sqlite),
    )
    .where('revoked_at', 'is', null)
    .returning('id')
    .execute();
  if (revoked.length === 0) await removeRevokeMark(db, workspaceId);
  return revoked.map(({ id }) => id);
}

async function removeRevokeMark(db: Kysely<Tables>, workspaceId: string): Promise<void> {
  await db
    .updateTable('workspace')
    .set({ revoking_at: null, revoking_by: null, revoking_reason: null })
    .where('id', '=', workspaceId)
    .execute();
}

/** @returns the workspaces that were marked before a time. @param before epoch ms */
export async function workspacesMarkedBefore(db: Kysely<Tables>, before: number): Promise<string[]> {
  const rows = await db.selectFrom('workspace').select('id').where('revoking_at', '<', before).execute();
  return rows.map(({ id }) => id);
}
