import { type Migration, type SqlBool, sql } from 'kysely';
import { columnTypes } from '../dialect.ts';

/** null: no own limit; 0: no limit; otherwise requests per minute. The bound keeps the window arithmetic exact. */
const bounds = sql<SqlBool>`rate_limit BETWEEN 0 AND 1000000000`;

export const limits: Migration = {
  async up(db) {
    for (const table of ['api_key', 'workspace']) {
      await db.schema
        .alterTable(table)
        .addColumn('rate_limit', 'bigint', (column) => column.check(bounds))
        .execute();
    }
    await db.schema
      .createTable('rate_window')
      .addColumn('key_id', 'text', (column) => column.primaryKey().notNull())
      .addColumn('minute', 'bigint', (column) => column.notNull())
      .addColumn('current', 'bigint', (column) => column.notNull())
      .addColumn('previous', 'bigint', (column) => column.notNull())
      .modifyEnd(columnTypes(db).clustered)
      .execute();
  },
};
