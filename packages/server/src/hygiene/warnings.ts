import { setImmediate as turn } from 'node:timers/promises';
import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import { isPostgres } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import type { IdleKey } from './idle-keys.ts';

// The warnings of idle keys: which of them each key has had.

/** Warnings per statement that deletes the void ones: about a millisecond with SQLite. */
const pageSize = 500;

/**
 * Stores the warnings of keys, the newest of which they get now.
 *
 * @param days of the policy
 */
export async function writeWarnings(
  db: Kysely<Tables>,
  days: number,
  keys: readonly IdleKey[],
): Promise<void> {
  const rows = keys.flatMap(({ id, since, first, last }) =>
    first === null ? [] : [{ key_id: id, idle_since: since, days, first_at: first, last_at: last }],
  );
  if (rows.length === 0) return;
  await db
    .insertInto('idle_warning')
    .values(rows)
    .onConflict((conflict) =>
      conflict.column('key_id').doUpdateSet(({ ref }) => ({
        idle_since: ref('excluded.idle_since'),
        days: ref('excluded.days'),
        first_at: ref('excluded.first_at'),
        last_at: ref('excluded.last_at'),
      })),
    )
    .execute();
}

/** Deletes the warnings of all keys of a workspace whose policy changes, so that each key gets both again. */
export async function deleteWarningsOf(db: Kysely<Tables>, workspaceId: string): Promise<void> {
  // Few keys have warnings, so each warning is looked at, not each key of the workspace.
  await sql`
    DELETE FROM idle_warning WHERE EXISTS (
      SELECT 1 FROM api_key k WHERE k.id = idle_warning.key_id AND k.workspace_id = ${workspaceId})`.execute(
    db,
  );
}

/**
 * Deletes the warnings of keys that were used or are not accepted anymore, and those of another policy. Other work runs
 * between two pages.
 *
 * @param now epoch ms
 */
export async function deleteObsoleteWarnings(db: Kysely<Tables>, now: number): Promise<void> {
  for (let after = ''; ; await turn()) {
    const { rows } = await sql<{ id: string }>`
      SELECT key_id AS id FROM idle_warning WHERE key_id > ${after}
      ORDER BY key_id LIMIT 1 OFFSET ${sql.lit(pageSize - 1)}`.execute(db);
    const end = rows[0]?.id;
    const upTo = end === undefined ? sql<SqlBool>`1 = 1` : sql<SqlBool>`i.key_id <= ${end}`;
    // Another node may write a row while this waits for it, or delete the same rows in another order.
    const lock = isPostgres(db) ? sql`ORDER BY i.key_id FOR UPDATE OF i SKIP LOCKED` : sql``;
    await sql`
      DELETE FROM idle_warning WHERE key_id IN (
        SELECT i.key_id FROM idle_warning i WHERE i.key_id > ${after} AND ${upTo} AND ${isVoid('i', now)} ${lock}
      ) AND ${isVoid('idle_warning', now)}`.execute(db);
    if (end === undefined) return;
    after = end;
  }
}

/** Whether a warning says nothing about its key anymore. */
function isVoid(warning: string, now: number): RawBuilder<SqlBool> {
  const column = (name: string) => sql.ref(`${warning}.${name}`);
  return sql`NOT EXISTS (
    SELECT 1 FROM api_key k JOIN key_use u ON u.key_id = k.id JOIN workspace w ON w.id = k.workspace_id
    WHERE k.id = ${column('key_id')} AND k.revoked_at IS NULL AND k.disabled_at IS NULL
      AND (k.expires_at IS NULL OR k.expires_at > ${now})
      AND (u.used_at IS NULL OR u.used_at <= ${column('idle_since')}) AND w.max_key_idle = ${column('days')})`;
}
