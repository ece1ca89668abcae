import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import type { SecretCounts } from './pending-uses.ts';

// The rows of `usage_day`: the requests of a key or a workspace on one day, in one column for each hour.

export const hoursPerDay = 24;

const hourColumns = Array.from({ length: hoursPerDay }, (_, hour) => `h${hour}`);

const noHash = Buffer.alloc(0);

/** What counts add to a row. */
interface DayCounts {
  /** Epoch hours. */
  hour: number;
  owner: string;
  /** Of a secret; empty for rejections and for a workspace. */
  hash: Buffer;
  /** 'accepted', or the code of a rejection. */
  outcome: string;
  requests: number;
}

/** Adds counts to the rows of their day, in SQLite. Most counts of a transaction are of one hour. */
export class SqliteDayWriter {
  readonly #connection: DatabaseSync;
  readonly #statements = new Map<number, StatementSync>();

  /** @param connection in the transaction that writes the counts */
  constructor(connection: DatabaseSync) {
    this.#connection = connection;
  }

  addAccepted({ hour, keyId, hash, accepted }: Readonly<SecretCounts>): void {
    if (accepted === 0) return;
    this.#add({
      hour,
      owner: keyId,
      hash: Buffer.from(hash, 'latin1'),
      outcome: 'accepted',
      requests: accepted,
    });
  }

  add(counts: Omit<DayCounts, 'hash'>): void {
    this.#add({ ...counts, hash: noHash });
  }

  #add({ hour, owner, hash, outcome, requests }: DayCounts): void {
    const slot = hour % hoursPerDay;
    let statement = this.#statements.get(slot);
    if (statement === undefined) {
      statement = this.#connection.prepare(`
        INSERT INTO usage_day (day, owner, hash, outcome, h${slot}) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (day, owner, hash, outcome) DO UPDATE SET h${slot} = usage_day.h${slot} + excluded.h${slot}`);
      this.#statements.set(slot, statement);
    }
    statement.run(dayOf(hour), owner, hash, outcome, requests);
  }
}

/**
 * The same for PostgreSQL, as a part of a statement.
 *
 * @param counts a query with the columns hour, owner, hash, outcome and requests
 */
export function addToDaysSql(counts: string): string {
  const sums = hourColumns.map(
    (_, hour) => `coalesce(sum(requests) FILTER (WHERE hour % ${hoursPerDay} = ${hour}), 0)`,
  );
  return `
    INSERT INTO usage_day (day, owner, hash, outcome, ${hourColumns.join(', ')})
    SELECT hour / ${hoursPerDay}, owner, hash, outcome, ${sums.join(', ')} FROM (${counts}) AS counts
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT (day, owner, hash, outcome) DO UPDATE SET
      ${hourColumns.map((hour) => `${hour} = usage_day.${hour} + excluded.${hour}`).join(', ')}
    RETURNING 1`;
}

/** @returns epoch days, UTC */
export function dayOf(hour: number): number {
  return Math.floor(hour / hoursPerDay);
}

/** The days of a range of hours. @param to epoch hours; not included */
export function daysBetween(from: number, to: number): number[] {
  const [first, last] = [dayOf(from), dayOf(to - 1)];
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/**
 * The stored requests of a key or a workspace by hour and outcome. Each day is one index lookup; a range of days would
 * scan the rows of all other owners.
 *
 * @param from epoch hours
 * @param to epoch hours; not included
 */
export async function readDayRows(
  db: Kysely<Tables>,
  owner: string,
  from: number,
  to: number,
): Promise<{ hour: number; outcome: string; requests: number }[]> {
  const rows = await db
    .selectFrom('usage_day')
    .selectAll()
    .where('day', 'in', daysBetween(from, to))
    .where('owner', '=', owner)
    .execute();
  return rows.flatMap(({ day, owner: _owner, hash: _hash, outcome, ...hours }) => {
    const counts = Object.entries(hours).map(([name, requests]) => ({
      hour: day * hoursPerDay + Number(name.slice(1)),
      outcome,
      requests: Number(requests),
    }));
    return counts.filter(({ hour, requests }) => requests > 0 && hour >= from && hour < to);
  });
}
