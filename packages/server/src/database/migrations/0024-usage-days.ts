import { type Kysely, type Migration, sql } from 'kysely';
import { columnTypes, isPostgres } from '../dialect.ts';

const hours = Array.from({ length: 24 }, (_, hour) => `h${hour}`);

/** The sums of a count in each hour of the day, in the order of `hours`. */
function sums(count: string): string {
  return hours.map((_, hour) => `sum(CASE WHEN hour % 24 = ${hour} THEN ${count} ELSE 0 END)`).join(', ');
}

/** Statements that compute the days from the hourly counts. */
export function pastDays(postgres: boolean): string[] {
  const none = postgres ? "''::bytea" : "x''";
  const into = `INSERT INTO usage_day (day, owner, hash, outcome, ${hours.join(', ')})`;
  return [
    `${into} SELECT hour / 24, key_id, hash, 'accepted', ${sums('accepted')}
     FROM usage_hour WHERE accepted > 0 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
    `${into} SELECT hour / 24, key_id, ${none}, code, ${sums('requests')} FROM (
       SELECT hour, key_id, code, requests FROM usage_refusal
       UNION ALL
       SELECT h.hour, h.key_id, 'other', h.refused - coalesce(r.requests, 0) FROM
         (SELECT hour, key_id, sum(refused) AS refused FROM usage_hour WHERE refused > 0 GROUP BY 1, 2) h
         LEFT JOIN (SELECT hour, key_id, sum(requests) AS requests FROM usage_refusal GROUP BY 1, 2) r
         ON r.hour = h.hour AND r.key_id = h.key_id
     ) AS rejected WHERE requests > 0 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`,
    `${into} SELECT d.day, k.workspace_id, ${none}, d.outcome, ${hours.map((hour) => `sum(d.${hour})`).join(', ')}
     FROM usage_day d JOIN api_key k ON k.id = d.owner GROUP BY 1, 2, 4 ORDER BY 1, 2, 4`,
  ];
}

/**
 * Usage by day, with a column for each hour, so that a long range reads one row for each day instead of one for each hour
 * (usage/day-rows.ts), and the sampled addresses and programs of each day (usage/client-days.ts). Both have a row for keys
 * and for workspaces, and are clustered by the day, in the order of their writes.
 *
 * The rows of the past follow from the hourly counts. Rejections whose code was not stored have the code `other`.
 */
export const usageDays: Migration = {
  async up(db: Kysely<unknown>) {
    const { bytes, clustered } = columnTypes(db);
    const days = db.schema
      .createTable('usage_day')
      .addColumn('day', 'integer', (column) => column.notNull())
      .addColumn('owner', 'text', (column) => column.notNull())
      .addColumn('hash', bytes, (column) => column.notNull())
      .addColumn('outcome', 'text', (column) => column.notNull());
    await hours
      .reduce(
        (table, hour) => table.addColumn(hour, 'bigint', (column) => column.notNull().defaultTo(0)),
        days,
      )
      .addPrimaryKeyConstraint('usage_day_key', ['day', 'owner', 'hash', 'outcome'])
      .modifyEnd(clustered)
      .execute();
    await db.schema
      .createTable('usage_client')
      .addColumn('day', 'integer', (column) => column.notNull())
      .addColumn('owner', 'text', (column) => column.notNull())
      .addColumn('clients', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('usage_client_key', ['day', 'owner'])
      .modifyEnd(clustered)
      .execute();
    for (const statement of pastDays(isPostgres(db))) await sql.raw(statement).execute(db);
  },
};
