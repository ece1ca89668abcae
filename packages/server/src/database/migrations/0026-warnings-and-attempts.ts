import { type Kysely, type Migration, sql } from 'kysely';
import { columnTypes } from '../dialect.ts';

/** Warnings about secrets that are older than the policy of their workspace, and each attempt of a delivery. */
export const warningsAndAttempts: Migration = {
  async up(db: Kysely<unknown>) {
    const { ordered, clustered } = columnTypes(db);
    await db.schema
      .createTable('age_warning')
      .addColumn('key_id', ordered, (column) =>
        column.primaryKey().notNull().references('api_key.id').onDelete('cascade'),
      )
      .addColumn('secret_created_at', 'bigint', (column) => column.notNull())
      .addColumn('days', 'bigint', (column) => column.notNull())
      .addColumn('warned_at', 'bigint', (column) => column.notNull())
      .modifyEnd(clustered)
      .execute();
    await sql`CREATE INDEX workspace_aged ON workspace (id) WHERE max_secret_age IS NOT NULL`.execute(db);
    await db.schema.alterTable('webhook_delivery').addColumn('earlier_attempts', 'text').execute();
  },
};
