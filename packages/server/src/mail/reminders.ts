import { setImmediate as turn } from 'node:timers/promises';
import { msPerDay } from '@soku/contract/instant';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { systemActor } from '../events/actor.ts';
import { type MailNotice, maxNames } from './notice.ts';
import { queueMails } from './queue.ts';

/** Days before the expiry of a key, the last reminder first. */
const thresholds = [1, 3, 14] as const;
const firstDays = 14;

/** Keys per statement and transaction. */
const batchSize = 200;

/** ms that an email waits for further keys of its workspace, which later batches find. */
const gathering = 60_000;

interface ExpiringKey {
  id: string;
  name: string;
  workspace_id: string;
  expires_at: number;
  created_at: number;
  disabled_at: number | null;
  /** When the revoke of all keys of the workspace began. */
  revoking_at: number | null;
}

interface DueKey extends ExpiringKey {
  days: number;
}

/**
 * Queues reminders of keys that expire soon, one email for all keys of a workspace that are found together. A row records
 * each reminder in the same transaction, so nodes that look at the same time queue it once. If several reminders of a key
 * are due, only the last one is sent. A key that was created later than a reminder would have been sent gets none: the
 * person who creates a key for a day knows that it expires.
 *
 * @param now epoch ms
 */
export async function queueReminders(db: Kysely<Tables>, now: number): Promise<void> {
  await deletePast(db, now - firstDays * msPerDay);
  const until = now + firstDays * msPerDay;
  for (let after: Position | undefined = { expires_at: now + 1, id: '' }; after !== undefined; ) {
    const { rows } = await expiringKeys(after, until).execute(db);
    const due = await withoutReminder(
      db,
      rows.flatMap((key) => asDue(key, now)),
    );
    if (due.length > 0) await db.transaction().execute((transaction) => queueBatch(transaction, due, now));
    after = rows.length === batchSize ? rows.at(-1) : undefined;
    // SQLite returns within one turn of the event loop, so this lets other work run.
    await turn();
  }
}

/** A position in the order in which keys are read. */
type Position = Pick<ExpiringKey, 'expires_at' | 'id'>;

/**
 * The next keys after a position, in the order of the index api_key_expiring. Everything else is filtered afterwards, so
 * that each statement reads one batch of the index, however many keys have had their reminder.
 *
 * @param until epoch ms
 */
export function expiringKeys(after: Position, until: number): RawBuilder<ExpiringKey> {
  return sql<ExpiringKey>`
    SELECT k.id, k.name, k.workspace_id, k.expires_at, k.created_at, k.disabled_at,
      (SELECT w.revoking_at FROM workspace w WHERE w.id = k.workspace_id) AS revoking_at
    FROM api_key k
    WHERE k.expires_at IS NOT NULL AND k.revoked_at IS NULL
      AND (k.expires_at, k.id) > (${after.expires_at}, ${after.id}) AND k.expires_at <= ${until}
    ORDER BY k.expires_at, k.id LIMIT ${sql.lit(batchSize)}`;
}

/** @returns the key with its last reminder that is due; an empty array if it is not to be sent */
function asDue(key: ExpiringKey, now: number): DueKey[] {
  const days = thresholds.find((threshold) => key.expires_at <= now + threshold * msPerDay) ?? firstDays;
  const isActive = key.disabled_at === null && key.revoking_at === null;
  return isActive && key.created_at < key.expires_at - days * msPerDay ? [{ ...key, days }] : [];
}

/** Returns the keys whose reminder is not recorded yet. Usually there are none, so this read avoids a transaction. */
async function withoutReminder(db: Kysely<Tables>, due: readonly DueKey[]): Promise<DueKey[]> {
  if (due.length === 0) return [];
  const rows = await db
    .selectFrom('key_reminder')
    .select(['key_id', 'expires_at', 'days'])
    .where(
      'key_id',
      'in',
      due.map(({ id }) => id),
    )
    .execute();
  const recorded = new Set(rows.map(({ key_id, expires_at, days }) => `${key_id} ${expires_at} ${days}`));
  return due.filter(({ id, expires_at, days }) => !recorded.has(`${id} ${expires_at} ${days}`));
}

async function queueBatch(db: Kysely<Tables>, due: readonly DueKey[], now: number): Promise<void> {
  const recorded = await record(db, due);
  for (const [workspaceId, keys] of Map.groupBy(recorded, ({ workspace_id }) => workspace_id)) {
    const notice = noticeOf(keys, now);
    const groupKey = `${workspaceId} key.expiring`;
    await queueMails(db, { notice, groupKey, workspaceId, userId: null }, now, gathering);
  }
}

/** Deletes the records of keys that expired before a time, in epoch ms. */
async function deletePast(db: Kysely<Tables>, before: number): Promise<void> {
  for (;;) {
    const { rows } = await sql`
      DELETE FROM key_reminder WHERE (key_id, expires_at, days) IN
        (SELECT key_id, expires_at, days FROM key_reminder WHERE expires_at < ${before} LIMIT ${sql.lit(batchSize)})
      RETURNING key_id`.execute(db);
    if (rows.length < batchSize) return;
    await turn();
  }
}

/** Records reminders. @returns those that no other node has recorded */
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
