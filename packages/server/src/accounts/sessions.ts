import type { BrowserSession } from '@soku/contract/accounts';
import type { Actor } from '@soku/contract/audit';
import type { DeleteQueryBuilder, DeleteResult, Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { appendEvent } from '../events/events.ts';
import { accountEvent } from './account-events.ts';

/**
 * Lists and ends the sessions of an account by id. The auth library identifies a session by its token, which is stored
 * as a hash: only the browser with the cookie has the token.
 */
export class Sessions {
  readonly #db: Kysely<Tables>;
  readonly #now: () => number;

  /** @param now epoch ms */
  constructor(db: Kysely<Tables>, now: () => number = Date.now) {
    this.#db = db;
    this.#now = now;
  }

  /**
   * The active sessions of an account, the latest first.
   *
   * @param currentId the session of the request
   */
  async list(userId: string, currentId: string): Promise<BrowserSession[]> {
    const rows = await this.#db
      .selectFrom('session')
      .select(['id', 'createdAt', 'updatedAt', 'expiresAt', 'ipAddress', 'userAgent'])
      .where('userId', '=', userId)
      .where('expiresAt', '>', new Date(this.#now()).toISOString())
      .orderBy('updatedAt', 'desc')
      .execute();
    return rows.map(({ id, ipAddress, userAgent, ...times }) => ({
      id,
      current: id === currentId,
      createdAt: isoTime(times.createdAt),
      updatedAt: isoTime(times.updatedAt),
      expiresAt: isoTime(times.expiresAt),
      ipAddress: ipAddress ?? '',
      userAgent: userAgent ?? '',
    }));
  }

  /** Ends one session of the actor's account. Ignores sessions that have ended, and those of other accounts. */
  async end(actor: Actor, id: string): Promise<void> {
    await this.#end(actor, 'one', (db) => db.deleteFrom('session').where('id', '=', id));
  }

  /** Ends every session of the actor's account except one. */
  async endOthers(actor: Actor, keptId: string): Promise<void> {
    await this.#end(actor, 'others', (db) => db.deleteFrom('session').where('id', '<>', keptId));
  }

  async #end(
    actor: Actor,
    sessions: 'one' | 'others',
    query: (db: Kysely<Tables>) => DeleteQueryBuilder<Tables, 'session', DeleteResult>,
  ): Promise<void> {
    await this.#db.transaction().execute(async (db) => {
      const { numDeletedRows } = await query(db).where('userId', '=', actor.id).executeTakeFirstOrThrow();
      if (numDeletedRows === 0n) return;
      const event = accountEvent('account.sessions_revoked', actor, actor, this.#now(), {
        details: { sessions },
      });
      await appendEvent(db, event);
    });
  }
}

/** A string on SQLite, and a Date on PostgreSQL. */
function isoTime(time: string): string {
  return new Date(time).toISOString();
}
