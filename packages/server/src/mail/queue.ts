import { msPerHour } from '@soku/contract/instant';
import type { MailKind } from '@soku/contract/notifications';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { newId } from '../ids.ts';
import { type GroupedNotice, type MailNotice, mergeNotices, noticeSchema } from './notice.ts';
import { isOptionalMail, isWanted, readMuted } from './preferences.ts';

/** Emails about the same kind of action by the same actor that an account gets in an hour. */
const maxPerHour = 5;

/** ms that further notices wait for each other. Those about security, which must not be late, share emails as well. */
const overflow = { usual: msPerHour, security: 5 * 60_000 };

/** ms that an email of a kind waits for further notices in any case. */
const gathering = new Map<MailKind, number>([
  // A policy that is set may concern many keys, which are found in several parts.
  ['rotationDue', 60_000],
]);

/**
 * Queues one email per recipient, in the transaction that records that the event or the reminder was handled. After the
 * fifth email of a group in an hour, further notices wait an hour, or five minutes if they are about security, and share
 * one email, so that a program that creates a key each second causes six emails an hour, not 3,600.
 *
 * @param now epoch ms
 * @param wait ms that an email waits for further notices
 */
export async function queueMails(
  db: Kysely<Tables>,
  grouped: GroupedNotice,
  now: number,
  wait = gathering.get(grouped.notice.kind) ?? 0,
): Promise<void> {
  for (const userId of await recipientsOf(db, grouped)) await queueMail(db, userId, grouped, { now, wait });
}

/** The members of the workspace, or the account itself, unless they have turned the kind off. */
async function recipientsOf(
  db: Kysely<Tables>,
  { notice, workspaceId, userId }: GroupedNotice,
): Promise<string[]> {
  const rows =
    workspaceId === null
      ? await db
          .selectFrom('user')
          .select('id')
          .where('id', '=', userId ?? '')
          .execute()
      : await db
          .selectFrom('workspace_member')
          .select('user_id as id')
          .where('workspace_id', '=', workspaceId)
          .execute();
  const ids = rows.map(({ id }) => id);
  const muted = await readMuted(db, ids);
  return ids.filter((id) => isWanted(notice.kind, muted.get(id)));
}

async function queueMail(
  db: Kysely<Tables>,
  userId: string,
  { notice, groupKey, workspaceId }: GroupedNotice,
  { now, wait }: { now: number; wait: number },
): Promise<void> {
  const recent = await db
    .selectFrom('mail')
    .select(['id', 'notice', 'next_attempt_at', 'attempts'])
    .where('user_id', '=', userId)
    .where('group_key', '=', groupKey)
    .where('created_at', '>', now - msPerHour)
    .orderBy('created_at')
    .execute();
  const further = isOptionalMail(notice.kind) ? overflow.usual : overflow.security;
  const collecting = recent.find(
    ({ next_attempt_at, attempts }) => attempts === 0 && (next_attempt_at ?? 0) > now,
  );
  if (collecting !== undefined && (await extend(db, collecting, notice))) return;
  await db
    .insertInto('mail')
    .values({
      id: newId('mail_', now),
      user_id: userId,
      workspace_id: workspaceId,
      group_key: groupKey,
      notice: JSON.stringify(notice),
      created_at: now,
      next_attempt_at: now + (recent.length < maxPerHour ? wait : further),
    })
    .execute();
}

/** @returns false if the email is being sent, or another node has extended it in the meantime */
async function extend(
  db: Kysely<Tables>,
  { id, notice }: { id: string; notice: string },
  more: MailNotice,
): Promise<boolean> {
  const both = mergeNotices(noticeSchema.parse(JSON.parse(notice)), more);
  const { numUpdatedRows } = await db
    .updateTable('mail')
    .set({ notice: JSON.stringify(both) })
    .where('id', '=', id)
    .where('attempts', '=', 0)
    .where('notice', '=', notice)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
