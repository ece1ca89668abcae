import { msPerHour } from '@soku/contract/instant';
import { type Kysely, sql } from 'kysely';
import type { Logger } from 'pino';
import type { Tables } from '../database/schema.ts';
import { errorCodeOf } from '../error-code.ts';
import { throttle } from '../http/logging.ts';
import type { MailOutcomes } from '../monitoring/mail-metrics.ts';
import { nextAttemptAt } from '../outbox/backoff.ts';
import { type Claim, finishAttempt, releaseLease } from '../outbox/leased-rows.ts';
import type { Message, SendResult, Transport } from './message.ts';
import { noticeSchema } from './notice.ts';
import { isOptionalMail, isWanted } from './preferences.ts';
import { renderMail } from './render.ts';
import type { UnsubscribeTokens } from './unsubscribe-token.ts';

const minute = 60_000;

/** ms between the attempts of an email. A greylisting server accepts one of the first; the last is after three days. */
export const mailRetryDelaysMs: readonly number[] = [
  ...[1, 5, 15, 30].map((minutes) => minutes * minute),
  ...[1, 2, 4, 8, 12, 12, 12, 20].map((hours) => hours * msPerHour),
];

/** ms between two log lines about emails that could not be sent. */
const logInterval = 60_000;

interface Options {
  db: Kysely<Tables>;
  transport: Transport;
  tokens: UnsubscribeTokens;
  publicUrl: string;
  log: Logger;
  /** Epoch ms. */
  now: () => number;
}

interface Failure {
  mailId: string;
  code: string;
  permanent: boolean;
  err: unknown;
}

/**
 * Sends emails that are due. The outcome is recorded after the attempt, so a crash repeats the attempt: an email is never
 * lost, and sent twice only if the crash, or the end of the connection, comes between the acceptance and its record.
 */
export class MailDelivery {
  readonly counts: MailOutcomes = { sent: 0, deferred: 0, refused: 0, expired: 0 };
  readonly #options: Options;
  readonly #report: (failure: Failure) => void;

  constructor(options: Options) {
    this.#options = options;
    this.#report = throttle<Failure>(logInterval, (failure, suppressed) =>
      options.log.warn(
        { ...failure, suppressed },
        failure.permanent
          ? 'an email could not be delivered; giving up'
          : 'an email could not be sent; retrying',
      ),
    );
  }

  /** Makes one attempt. */
  async attempt(claim: Claim, signal: AbortSignal): Promise<void> {
    const result = await this.#send(claim.id, signal);
    if (result === undefined) return this.#end(claim, 'dropped', null);
    if (result.sent) {
      await this.#end(claim, 'sent', null);
      this.counts.sent += 1;
      return;
    }
    if (signal.aborted) await releaseLease(this.#options.db, 'mail', claim);
    else await this.#fail(claim, result);
  }

  /** @returns undefined if the email is no longer wanted */
  async #send(id: string, signal: AbortSignal): Promise<SendResult | undefined> {
    try {
      const message = await this.#compose(id);
      return message && (await this.#options.transport.send(message, signal));
    } catch (error) {
      // Such as a full disk. It counts like a failure of the SMTP server, so that the attempts end.
      const code = errorCodeOf(error) || (error instanceof Error ? error.name : 'ERROR');
      return { sent: false, permanent: false, code, err: error };
    }
  }

  async #fail(claim: Claim, { code, permanent, err }: Extract<SendResult, { sent: false }>): Promise<void> {
    const { db, now } = this.#options;
    const next = permanent ? null : nextAttemptAt(mailRetryDelaysMs, claim.attempts, now());
    this.#report({ mailId: claim.id, code, permanent: next === null, err });
    if (next === null) {
      const outcome = permanent ? 'refused' : 'expired';
      await this.#end(claim, outcome, code);
      this.counts[outcome] += 1;
      return;
    }
    this.counts.deferred += 1;
    await db.transaction().execute(async (transaction) => {
      if (!(await finishAttempt(transaction, 'mail', claim, next))) return;
      await transaction.updateTable('mail').set({ error: code }).where('id', '=', claim.id).execute();
    });
  }

  async #end(claim: Claim, outcome: string, error: string | null): Promise<void> {
    const { db, now } = this.#options;
    await db.transaction().execute(async (transaction) => {
      if (!(await finishAttempt(transaction, 'mail', claim, null))) return;
      await transaction
        .updateTable('mail')
        .set({ ended_at: now(), outcome, error })
        .where('id', '=', claim.id)
        .execute();
    });
  }

  /** @returns undefined if the account no longer wants the email, or left the workspace */
  async #compose(id: string): Promise<Message | undefined> {
    const { db, tokens, publicUrl } = this.#options;
    const row = await db
      .selectFrom('mail as m')
      .innerJoin('user as u', 'u.id', 'm.user_id')
      .leftJoin('mail_preference as p', 'p.user_id', 'm.user_id')
      .leftJoin('workspace_member as member', (join) =>
        join.onRef('member.user_id', '=', 'm.user_id').onRef('member.workspace_id', '=', 'm.workspace_id'),
      )
      .leftJoin('workspace as w', 'w.id', 'member.workspace_id')
      .select([
        'm.notice',
        'm.workspace_id',
        'm.created_at',
        'u.id as userId',
        'u.email',
        'p.time_zone as timeZone',
        'p.muted',
        'w.name as workspaceName',
      ])
      .where('m.id', '=', id)
      .executeTakeFirst();
    if (row === undefined || (row.workspace_id !== null && row.workspaceName === null)) return undefined;
    const notice = noticeSchema.parse(JSON.parse(row.notice));
    const { kind } = notice;
    if (!isWanted(kind, new Set(row.muted?.split(' ')))) return undefined;
    const unsubscribeUrl = isOptionalMail(kind)
      ? `${publicUrl}/unsubscribe/${tokens.issue({ userId: row.userId, kind })}`
      : undefined;
    const { timeZone, workspaceName } = row;
    const rendered = renderMail(notice, { timeZone, workspaceName, publicUrl, unsubscribeUrl });
    return { id, to: row.email, date: row.created_at, unsubscribeUrl, ...rendered };
  }
}

/** Whether an email waits for an attempt. Claims are writes, and with SQLite an idle server should not lock the database. */
export async function hasDueMail(db: Kysely<Tables>, now: number): Promise<boolean> {
  const row = await db
    .selectFrom('mail')
    .select('id')
    .where('next_attempt_at', '<=', now)
    .where((eb) => eb.or([eb('lease_until', 'is', null), eb('lease_until', '<=', now)]))
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * When the oldest email that is due, or whose last attempt failed, was created: epoch ms, or null. An email that waits for
 * further notices is neither.
 */
export async function oldestWaitingMail(db: Kysely<Tables>, now: number): Promise<number | null> {
  const row = await db
    .selectFrom('mail')
    .select((eb) => eb.fn.min('created_at').as('at'))
    .where('next_attempt_at', 'is not', null)
    .where((eb) => eb.or([eb('next_attempt_at', '<=', now), eb('attempts', '>', 0)]))
    .executeTakeFirst();
  return row?.at ?? null;
}

/**
 * Deletes some of the emails that ended before a time, in epoch ms.
 *
 * @returns whether there were any
 */
export async function deleteEndedMails(kysely: Kysely<Tables>, before: number): Promise<boolean> {
  const { rows } = await sql`
    DELETE FROM mail WHERE id IN (SELECT id FROM mail WHERE ended_at < ${before} LIMIT 500) RETURNING id`.execute(
    kysely,
  );
  return rows.length > 0;
}
