import { type Kysely, type Migration, sql } from 'kysely';
import { columnTypes } from '../dialect.ts';

/**
 * The policies that disable idle keys and require an expiration date. Servers of earlier versions did not record when they
 * ran, so this is known from the upgrade on. Nor did they record when a key was enabled again: a key that was is idle since
 * its last use, and gets two warnings like all others.
 */
export const policies: Migration = {
  async up(db: Kysely<unknown>) {
    const { ordered, clustered } = columnTypes(db);
    await db.schema.alterTable('workspace').addColumn('max_key_idle', 'bigint').execute();
    await db.schema
      .alterTable('workspace')
      .addColumn('require_expiry', 'integer', (column) => column.notNull().defaultTo(0))
      .execute();
    await sql`CREATE INDEX workspace_idle ON workspace (id) WHERE max_key_idle IS NOT NULL`.execute(db);
    await db.schema.alterTable('api_key').addColumn('resumed_at', 'bigint').execute();
    for (const column of ['watched_since', 'watched_until']) {
      await db.schema
        .alterTable('usage_history')
        .addColumn(column, 'bigint', (definition) => definition.notNull().defaultTo(0))
        .execute();
    }
    const now = Date.now();
    await sql`UPDATE usage_history SET watched_since = ${now}, watched_until = ${now}`.execute(db);
    await db.schema
      .createTable('idle_warning')
      .addColumn('key_id', ordered, (column) =>
        column.primaryKey().notNull().references('api_key.id').onDelete('cascade'),
      )
      .addColumn('idle_since', 'bigint', (column) => column.notNull())
      .addColumn('days', 'bigint', (column) => column.notNull())
      .addColumn('first_at', 'bigint', (column) => column.notNull())
      .addColumn('last_at', 'bigint')
      .modifyEnd(clustered)
      .execute();
  },
};
