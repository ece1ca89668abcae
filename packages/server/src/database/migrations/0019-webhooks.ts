import { type Kysely, type Migration, sql } from 'kysely';
import { columnTypes } from '../dialect.ts';

/**
 * Webhooks and their deliveries. A delivery has no foreign key: when a webhook is deleted, its deliveries, of which
 * there may be millions, are deleted in batches later.
 */
export const webhooks: Migration = {
  async up(db: Kysely<unknown>) {
    const { ordered } = columnTypes(db);
    await db.schema
      .createTable('webhook')
      .addColumn('id', ordered, (column) => column.primaryKey().notNull())
      .addColumn('workspace_id', 'text', (column) =>
        column.notNull().references('workspace.id').onDelete('cascade'),
      )
      .addColumn('url', 'text', (column) => column.notNull())
      .addColumn('description', 'text', (column) => column.notNull())
      .addColumn('events', 'text', (column) => column.notNull())
      .addColumn('secrets', 'text', (column) => column.notNull())
      .addColumn('position', 'bigint', (column) => column.notNull())
      .addColumn('failing_since', 'bigint')
      .addColumn('disabled_at', 'bigint')
      .addColumn('disabled_by', 'text')
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('created_by', 'text', (column) => column.notNull())
      .execute();
    await db.schema.createIndex('webhook_workspace').on('webhook').columns(['workspace_id', 'id']).execute();
    await db.schema
      .createTable('webhook_delivery')
      .addColumn('id', ordered, (column) => column.primaryKey().notNull())
      .addColumn('webhook_id', ordered, (column) => column.notNull())
      .addColumn('event_id', ordered)
      .addColumn('type', 'text', (column) => column.notNull())
      .addColumn('body', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('next_attempt_at', 'bigint')
      .addColumn('lease_until', 'bigint')
      .addColumn('attempts', 'bigint', (column) => column.notNull())
      .addColumn('attempted_at', 'bigint')
      .addColumn('duration_ms', 'bigint')
      .addColumn('succeeded_at', 'bigint')
      .addColumn('ended_at', 'bigint')
      .addColumn('response_status', 'bigint')
      .addColumn('response_body', 'text')
      .addColumn('error', 'text')
      .execute();
    // The database itself ensures that no event is queued twice for a webhook. Test events have no event_id.
    await db.schema
      .createIndex('webhook_delivery_event')
      .on('webhook_delivery')
      .columns(['webhook_id', 'event_id'])
      .unique()
      .execute();
    await db.schema
      .createIndex('webhook_delivery_list')
      .on('webhook_delivery')
      .columns(['webhook_id', 'id'])
      .execute();
    await sql`CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook_id, next_attempt_at)
      WHERE next_attempt_at IS NOT NULL`.execute(db);
    await sql`CREATE INDEX webhook_delivery_leased ON webhook_delivery (lease_until)
      WHERE lease_until IS NOT NULL`.execute(db);
    await sql`CREATE INDEX webhook_delivery_failed ON webhook_delivery (webhook_id, id)
      WHERE next_attempt_at IS NULL AND succeeded_at IS NULL`.execute(db);
    await sql`CREATE INDEX webhook_delivery_ended ON webhook_delivery (ended_at)
      WHERE ended_at IS NOT NULL`.execute(db);
  },
};
