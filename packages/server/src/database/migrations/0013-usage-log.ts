import { type Kysely, type Migration, sql } from 'kysely';
import { isPostgres } from '../dialect.ts';

/**
 * Uses that a flush has not written yet, so that they survive a crash (usage/log.ts). Only for SQLite: a node on
 * PostgreSQL writes its uses directly.
 *
 * Each row of the log holds the counts of many secrets. It is appended to the end of the file, while the same counts in
 * `usage_hour` touch as many pages as there are keys.
 *
 * `usage_flush` has one row, which a flush changes in the transactions that write to `usage_hour`.
 */
export const usageLog: Migration = {
  async up(db: Kysely<unknown>) {
    if (isPostgres(db)) return;
    await db.schema
      .createTable('usage_log')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('counts', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('usage_flush')
      .addColumn('id', 'integer', (column) => column.primaryKey().check(sql`id = 1`))
      .addColumn('log_id', 'integer', (column) => column.notNull())
      .addColumn('hour', 'integer', (column) => column.notNull())
      .addColumn('key_id', 'text', (column) => column.notNull())
      .addColumn('hash', 'blob', (column) => column.notNull())
      .execute();
  },
};
