import type { BrowserSession } from '@soku/contract/accounts';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';

/**
 * The sessions of an account, listed and ended by their id. The auth library names a session by its token, which is
 * stored as a hash and known to nobody but the browser that has the cookie.
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
   * The live sessions of an account, the latest first.
   *
   * @param currentId the session that asks
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

  /** Ends one session of an account; a session that is over already, or another account's, changes nothing. */
  async end(userId: string, id: string): Promise<void> {
    await this.#db.deleteFrom('session').where('userId', '=', userId).where('id', '=', id).execute();
  }

  /** Ends every session of an account but one. */
  async endOthers(userId: string, keptId: string): Promise<void> {
    await this.#db.deleteFrom('session').where('userId', '=', userId).where('id', '<>', keptId).execute();
  }
}

/** A text on SQLite, and a Date on PostgreSQL. */
function isoTime(time: string): string {
  return new Date(time).toISOString();
}
