import { type Kysely, type Migration, sql } from 'kysely';
import { isPostgres } from '../dialect.ts';

/**
 * A flush of usage has several passes, each with its own progress for a range of keys (usage/log.ts), so `usage_flush` has
 * several rows. The existing row belongs to a flush of all keys.
 */
export const usagePasses: Migration = {
  async up(db: Kysely<unknown>) {
    if (isPostgres(db)) return;
    await db.schema.alterTable('usage_flush').renameTo('usage_flush_before').execute();
    await db.schema
      .createTable('usage_flush')
      .addColumn('log_id', 'integer', (column) => column.primaryKey())
      .addColumn('after_key', 'text', (column) => column.notNull())
      .addColumn('until_key', 'text', (column) => column.notNull())
      .addColumn('hour', 'integer', (column) => column.notNull())
      .addColumn('key_id', 'text', (column) => column.notNull())
      .addColumn('hash', 'blob', (column) => column.notNull())
      .execute();
    await sql`INSERT INTO usage_flush (log_id, after_key, until_key, hour, key_id, hash)
      SELECT log_id, '', ${'\uffff'}, hour, key_id, hash FROM usage_flush_before`.execute(db);
    await db.schema.dropTable('usage_flush_before').execute();
  },
};
