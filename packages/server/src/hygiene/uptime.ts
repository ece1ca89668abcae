import { msPerDay } from '@soku/contract/instant';
import { type Kysely, sql } from 'kysely';
import { isPostgres } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';

/** ms. After a longer pause, or a larger step of the clock, idle times start over. */
const maxPauseMs = msPerDay;

/** Why idle times start over. Both in epoch ms. */
export interface IdleTimeReset {
  /** When a server last ran. */
  watchedUntil: number;
  now: number;
}

/** For how long a server has run. */
interface Uptime {
  /** Epoch ms. With PostgreSQL, the clocks of this node and the database must agree. */
  now: number;
  /** Epoch ms from which a server has run without a long pause, and the clock has not jumped. */
  since: number;
  /** Undefined if idle times continue. */
  reset: IdleTimeReset | undefined;
}

/**
 * Records that a server runs now. Call it regularly: while no server runs, programs cannot use their keys, so this time
 * does not count as idle time.
 *
 * @param clock epoch ms
 */
export async function recordRunningServer(db: Kysely<Tables>, clock: number): Promise<Uptime> {
  const now = await earlierClock(db, clock);
  const continues = sql`${now} BETWEEN watched_until - ${maxPauseMs} AND watched_until + ${maxPauseMs}`;
  const before = await db
    .selectFrom('usage_history')
    .select(['watched_since', 'watched_until'])
    .executeTakeFirstOrThrow();
  const { rows } = await sql<{ since: number | string }>`
    UPDATE usage_history SET watched_until = ${now},
      watched_since = CASE WHEN ${continues} THEN watched_since ELSE ${now} END
    RETURNING watched_since AS since`.execute(db);
  const since = Number(rows[0]?.since ?? now);
  const begins = since === now && before.watched_since !== now;
  return { now, since, reset: begins ? { watchedUntil: before.watched_until, now } : undefined };
}

/**
 * Returns the time of the node's or the database's clock, whichever is earlier, so that a node whose clock is fast does
 * not treat a key in use as idle.
 *
 * @param clock epoch ms of this node
 */
export async function earlierClock(db: Kysely<Tables>, clock: number): Promise<number> {
  if (!isPostgres(db)) return clock;
  const { rows } = await sql<{ now: number | string }>`
    SELECT least(${clock}::bigint, (extract(epoch FROM clock_timestamp()) * 1000)::bigint) AS now`.execute(
    db,
  );
  return Number(rows[0]?.now ?? clock);
}
