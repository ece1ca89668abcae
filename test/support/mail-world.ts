import type { Kysely } from 'kysely';
import pino from 'pino';
import { sealEvents } from '../../packages/server/src/audit/sealer.ts';
import type { Tables } from '../../packages/server/src/database/schema.ts';
import { noOrigin } from '../../packages/server/src/events/actor.ts';
import { appendEvents, type NewEvent } from '../../packages/server/src/events/events.ts';
import { newId } from '../../packages/server/src/ids.ts';
import { MailCollector } from '../../packages/server/src/mail/collector.ts';
import { MailDelivery } from '../../packages/server/src/mail/delivery.ts';
import { SmtpTransport } from '../../packages/server/src/mail/smtp-transport.ts';
import { UnsubscribeTokens } from '../../packages/server/src/mail/unsubscribe-token.ts';
import { claimDue } from '../../packages/server/src/outbox/leased-rows.ts';
import type { SmtpSink } from './smtp.ts';

export const minute = 60_000;
export const hour = 60 * minute;

/** ms. */
const lease = 10 * minute;

/** The parts of a server that create and send emails, with a clock that the test moves. */
export class MailWorld {
  /** Epoch ms. */
  now = Date.UTC(2026, 10, 30, 12);
  readonly db: Kysely<Tables>;
  readonly tokens = new UnsubscribeTokens('a secret of a test');
  readonly collector: MailCollector;
  readonly delivery: MailDelivery;
  /** The lines of the log. */
  readonly log: string[] = [];

  /** @param smtp undefined: no email is sent */
  constructor(db: Kysely<Tables>, smtp?: SmtpSink, auth?: { user: string; pass: string }) {
    this.db = db;
    const now = () => this.now;
    const publicUrl = 'https://keys.example.com';
    this.collector = new MailCollector(db, now);
    const server = { host: '127.0.0.1', port: smtp?.port ?? 0, secure: false, requireTls: false, auth };
    this.delivery = new MailDelivery({
      db,
      transport: new SmtpTransport({
        server,
        from: { name: 'Soku', address: 'soku@example.com' },
        publicUrl,
      }),
      tokens: this.tokens,
      publicUrl,
      log: pino({}, { write: (line: string) => this.log.push(line) }),
      now,
    });
  }

  /** A workspace with members of these names. Their addresses are unique. */
  async addWorkspace(...names: string[]): Promise<{ id: string; users: { id: string; email: string }[] }> {
    const id = newId('ws_', this.now);
    await this.db
      .insertInto('workspace')
      .values({ id, name: 'Tools & more', created_at: this.now })
      .execute();
    const users = [];
    for (const name of names) {
      const userId = newId('usr_', this.now);
      const email = `${name}.${userId}@example.com`;
      const at = new Date(this.now).toISOString();
      await this.db
        .insertInto('user')
        .values({ id: userId, name, email, emailVerified: 0, createdAt: at, updatedAt: at })
        .execute();
      await this.db
        .insertInto('workspace_member')
        .values({ workspace_id: id, user_id: userId, role: 'owner', created_at: this.now })
        .execute();
      users.push({ id: userId, email });
    }
    return { id, users };
  }

  /** An event by Ada about a key, at this time. */
  event(
    chain: string,
    action: NewEvent['action'],
    more: Partial<NewEvent> & { requestId?: string; address?: string } = {},
  ): NewEvent {
    const { requestId = newId('req_', this.now), address = '192.0.2.7', ...rest } = more;
    const actor = {
      kind: 'person',
      id: 'usr_ada',
      name: 'Ada',
      ...noOrigin,
      address,
      requestId,
    } as const;
    return {
      chain,
      at: this.now,
      actor,
      action,
      target: { kind: 'key', id: 'key_1', name: 'Billing' },
      ...rest,
    };
  }

  /** Appends and seals events, and queues their emails. */
  async happen(...events: NewEvent[]): Promise<void> {
    await appendEvents(this.db, events);
    await sealEvents(this.db);
    await this.collector.collectAll();
  }

  /** Makes one attempt for each email that is due. @returns their number */
  async deliver(): Promise<number> {
    const claims = await claimDue(this.db, 'mail', { now: this.now, lease, limit: 1000 });
    for (const claim of claims) await this.delivery.attempt(claim, new AbortController().signal);
    return claims.length;
  }

  /** Moves the clock by `step` and delivers, until no email waits. @returns the ms that passed */
  async deliverAll(step: number): Promise<number> {
    const start = this.now;
    for (;;) {
      await this.deliver();
      const waiting = await this.db
        .selectFrom('mail')
        .select('id')
        .where('next_attempt_at', 'is not', null)
        .executeTakeFirst();
      if (waiting === undefined) return this.now - start;
      this.now += step;
    }
  }

  async mails() {
    return this.db.selectFrom('mail').selectAll().orderBy('id').execute();
  }
}
