import { msPerDay } from '@soku/contract/instant';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { systemActor } from '../events/actor.ts';
import { type MailNotice, maxNames } from './notice.ts';
import { queueMails } from './queue.ts';

/** Days before the expiry of a key, the first reminder last. */
const thresholds = [1, 3, 14] as const;
const firstDays = 14;

/** Keys per transaction. */
const batchSize = 200;

interface DueKey {
  id: string;
  name: string;
  workspace_id: string;
  expires_at: number;
  days: number;
}

/**
 * Queues reminders of keys that expire soon, one mail for all keys of a workspace that are found together. A row records
 * each reminder in the same transaction, so nodes that look at the same time queue it once. If several reminders of a key
 * are due, only the last one is sent. A key that was created later than a reminder would have been sent gets none: whoever
 * creates a key for a day knows that it expires.
 *
 * @param now epoch ms
 */
export async function queueReminders(kysely: Kysely<Tables>, now: number): Promise<void> {
  await kysely
    .deleteFrom('key_reminder')
    .where('expires_at', '<', now - firstDays * msPerDay)
    .execute();
  while (await kysely.transaction().execute((db) => queueBatch(db, now)));
}

/** @returns whether there may be more */
async function queueBatch(db: Kysely<Tables>, now: number): Promise<boolean> {
  const due = await findDue(db, now);
  const recorded = due.length === 0 ? [] : await record(db, due);
  for (const [workspaceId, keys] of Map.groupBy(recorded, ({ workspace_id }) => workspace_id)) {
    const notice = noticeOf(keys, now);
    const groupKey = `${workspaceId} key.expiring`;
    await queueMails(db, { notice, groupKey, workspaceId, userId: null }, now);
  }
  return due.length === batchSize;
}

async function findDue(db: Kysely<Tables>, now: number): Promise<DueKey[]> {
  const [last, middle, first] = thresholds;
  const days = sql<number>`CASE WHEN k.expires_at <= ${now + last * msPerDay} THEN ${sql.lit(last)}
    WHEN k.expires_at <= ${now + middle * msPerDay} THEN ${sql.lit(middle)} ELSE ${sql.lit(first)} END`;
  const { rows } = await sql<DueKey>`
    SELECT k.id, k.name, k.workspace_id, k.expires_at, ${days} AS days
    FROM api_key k JOIN workspace w ON w.id = k.workspace_id
    WHERE k.expires_at > ${now} AND k.expires_at <= ${now + firstDays * msPerDay}
      AND k.revoked_at IS NULL AND k.disabled_at IS NULL AND w.revoking_at IS NULL
      AND k.created_at < k.expires_at - ${days} * ${sql.lit(msPerDay)}
      AND NOT EXISTS (SELECT 1 FROM key_reminder r
        WHERE r.key_id = k.id AND r.expires_at = k.expires_at AND r.days = ${days})
    ORDER BY k.workspace_id, k.expires_at, k.id LIMIT ${batchSize}`.execute(db);
  return rows;
}

/** @returns those that no other node has recorded */
async function record(db: Kysely<Tables>, due: readonly DueKey[]): Promise<DueKey[]> {
  const rows = await db
    .insertInto('key_reminder')
    .values(due.map(({ id, expires_at, days }) => ({ key_id: id, expires_at, days })))
    .onConflict((conflict) => conflict.doNothing())
    .returning('key_id')
    .execute();
  const recorded = new Set(rows.map(({ key_id }) => key_id));
  return due.filter(({ id }) => recorded.has(id));
}

function noticeOf(keys: readonly DueKey[], now: number): MailNotice {
  return {
    kind: 'keyExpiring',
    action: 'key.expiring',
    at: new Date(now).toISOString(),
    actor: { kind: systemActor.kind, name: systemActor.name, address: null, userAgent: null },
    count: keys.length,
    targets: keys.slice(0, maxNames).map(({ id, name, expires_at }) => ({
      id,
      kind: 'key',
      name,
      expiresAt: new Date(expires_at).toISOString(),
    })),
  };
}
