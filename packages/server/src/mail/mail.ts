import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { msPerDay, msPerHour } from '@soku/contract/instant';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Database } from '../database/open.ts';
import { LeasedWork } from '../outbox/leased-work.ts';
import { PeriodicTask, scheduleTimer } from '../timers/periodic-task.ts';
import { MailCollector } from './collector.ts';
import {
  deleteEndedMails,
  hasDueMail,
  MailDelivery,
  mailRetryDelaysMs,
  oldestWaitingMail,
} from './delivery.ts';
import type { Transport } from './message.ts';
import { OutboxTransport, sweepOutbox } from './outbox-transport.ts';
import { MailPreferences } from './preferences.ts';
import { queueReminders } from './reminders.ts';
import { SmtpTransport } from './smtp-transport.ts';
import { UnsubscribeTokens } from './unsubscribe-token.ts';

/** ms between two rounds. `all`: a look at all chains, and `ended`: the deletion of old emails. */
const intervals = {
  collect: 1000,
  send: 1000,
  all: 10 * 60_000,
  remind: 10 * 60_000,
  measure: 60_000,
  ended: msPerDay,
};

/** ms. Longer than the longest attempt. */
const lease = 10 * 60_000;

/** Emails that are sent at the same time. */
const concurrency = 4;

/** Days after which an email that was sent or abandoned is deleted, and the file of an email. */
const keptDays = 30;

/**
 * Creates emails about audit events and expiring keys, and sends them.
 *
 * @param secret SOKU_SECRET
 */
export function createMail(config: Config, { kysely: db }: Database, secret: string, log: Logger) {
  const { publicUrl, mail, dataDir } = config;
  const now = Date.now;
  const { from, smtp } = mail;
  const outbox = join(dataDir, 'outbox');
  const transport: Transport =
    smtp === undefined
      ? new OutboxTransport({ directory: outbox, from, publicUrl, log })
      : new SmtpTransport({ server: smtp, from, publicUrl });
  const tokens = new UnsubscribeTokens(secret);
  const delivery = new MailDelivery({ db, transport, tokens, publicUrl, log, now });
  const collector = new MailCollector(db, now);
  const periodic = (name: string, job: () => Promise<void>, interval: number) =>
    new PeriodicTask(job, {
      interval,
      failed: (error) => log.error({ err: error }, `${name} failed; retrying`),
      schedule: scheduleTimer,
    });
  const tasks = [
    periodic('the collection of new emails', () => collector.collectRecent(), intervals.collect),
    periodic('the search for missed emails', () => collector.collectAll(), intervals.all),
    periodic('the reminder of expiring keys', () => queueReminders(db, now()), intervals.remind),
    periodic('the search for waiting emails', () => measure(), intervals.measure),
    periodic('the deletion of old emails', () => deleteOld(), intervals.ended),
  ];
  const sending = new LeasedWork({
    db,
    table: 'mail',
    queues: async () => ((await hasDueMail(db, now())) ? [{ name: 'mail', concurrency }] : []),
    attempt: (claim, signal) => delivery.attempt(claim, signal),
    concurrency,
    interval: intervals.send,
    lease,
    waits: [msPerHour, ...mailRetryDelaysMs],
    stopTimeout: 1000,
    failed: (error) => log.error({ err: error }, 'an email could not be recorded; retrying'),
    now,
  });
  // Known from the last round, because a request for the metrics does not query the database.
  let oldest: number | null = null;
  const measure = async () => {
    oldest = await oldestWaitingMail(db, now());
  };
  const deleteOld = async () => {
    const before = now() - keptDays * msPerDay;
    await sweepOutbox(outbox, before);
    while (await deleteEndedMails(db, before)) await turn();
  };
  return {
    preferences: new MailPreferences(db, now),
    tokens,
    counts: delivery.counts,
    oldestAge: () => (oldest === null ? 0 : Math.max(0, now() - oldest)),
    delivery: smtp === undefined ? ('outbox' as const) : ('smtp' as const),
    start: () => {
      if (smtp === undefined)
        log.info({ directory: outbox }, 'SMTP_URL is not set: emails are written to files and not sent');
      sending.start();
      const [collecting, ...others] = tasks;
      collecting?.start();
      for (const task of others) task.start(5000);
    },
    stop: async () => {
      await Promise.all([sending, ...tasks].map((task) => task.stop()));
    },
  };
}
