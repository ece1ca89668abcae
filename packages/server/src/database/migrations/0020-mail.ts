import { type Kysely, type Migration, sql } from 'kysely';
import { columnTypes } from '../dialect.ts';

/** Emails about audit events and expiring keys. */
export const mail: Migration = {
  async up(db: Kysely<unknown>) {
    const { ordered, clustered } = columnTypes(db);
    await db.schema
      .createTable('mail_preference')
      .addColumn('user_id', 'text', (column) =>
        column.primaryKey().notNull().references('user.id').onDelete('cascade'),
      )
      .addColumn('time_zone', 'text')
      .addColumn('muted', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('mail_cursor')
      .addColumn('chain', ordered, (column) => column.primaryKey().notNull())
      .addColumn('sequence', 'bigint', (column) => column.notNull())
      .execute();
    // The events before the upgrade cause no emails. Those that are not sealed yet get the next positions of their chain.
    await sql`INSERT INTO mail_cursor (chain, sequence)
      SELECT chain, coalesce(max(sequence), 0) + count(*) - count(sequence) FROM audit_event GROUP BY chain`.execute(
      db,
    );
    await db.schema
      .createTable('mail')
      .addColumn('id', ordered, (column) => column.primaryKey().notNull())
      .addColumn('user_id', 'text', (column) => column.notNull().references('user.id').onDelete('cascade'))
      .addColumn('workspace_id', 'text', (column) => column.references('workspace.id').onDelete('cascade'))
      .addColumn('group_key', 'text', (column) => column.notNull())
      .addColumn('notice', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('next_attempt_at', 'bigint')
      .addColumn('lease_until', 'bigint')
      .addColumn('attempts', 'bigint', (column) => column.notNull().defaultTo(0))
      .addColumn('ended_at', 'bigint')
      .addColumn('outcome', 'text')
      .addColumn('error', 'text')
      .execute();
    await sql`CREATE INDEX mail_due ON mail (next_attempt_at) WHERE next_attempt_at IS NOT NULL`.execute(db);
    await sql`CREATE INDEX mail_ended ON mail (ended_at) WHERE ended_at IS NOT NULL`.execute(db);
    await db.schema
      .createIndex('mail_group')
      .on('mail')
      .columns(['user_id', 'group_key', 'created_at'])
      .execute();
    await db.schema.createIndex('mail_workspace').on('mail').column('workspace_id').execute();
    await db.schema
      .createTable('key_reminder')
      .addColumn('key_id', ordered, (column) => column.notNull().references('api_key.id').onDelete('cascade'))
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .addColumn('days', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('key_reminder_once', ['key_id', 'expires_at', 'days'])
      .modifyEnd(clustered)
      .execute();
    await db.schema.createIndex('key_reminder_expiry').on('key_reminder').column('expires_at').execute();
    await sql`CREATE INDEX api_key_expiring ON api_key (expires_at, id)
      WHERE expires_at IS NOT NULL AND revoked_at IS NULL`.execute(db);
  },
};
