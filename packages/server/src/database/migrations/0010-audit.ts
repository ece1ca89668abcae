import { type Kysely, type Migration, sql } from 'kysely';
import { columnTypes } from '../dialect.ts';

/**
 * The audit log. An event has no foreign keys: it outlives the account, the key and the workspace that it describes, and
 * its insertion locks no row for which another command waits.
 */
export const audit: Migration = {
  async up(db: Kysely<unknown>) {
    const { ordered } = columnTypes(db);
    await db.schema
      .createTable('audit_event')
      .addColumn('id', ordered, (column) => column.primaryKey().notNull())
      .addColumn('chain', ordered, (column) => column.notNull())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('actor_kind', 'text', (column) => column.notNull())
      .addColumn('actor_id', ordered, (column) => column.notNull())
      .addColumn('actor_name', 'text', (column) => column.notNull())
      .addColumn('address', 'text')
      .addColumn('user_agent', 'text')
      .addColumn('request_id', 'text')
      .addColumn('action', 'text', (column) => column.notNull())
      .addColumn('target_kind', 'text', (column) => column.notNull())
      .addColumn('target_id', ordered, (column) => column.notNull())
      .addColumn('target_name', 'text', (column) => column.notNull())
      .addColumn('changes', 'text')
      .addColumn('details', 'text')
      .addColumn('sequence', 'bigint')
      .addColumn('previous_hash', 'text')
      .addColumn('hash', 'text')
      .execute();
    const index = (name: string, columns: string[]) =>
      db.schema.createIndex(name).on('audit_event').columns(columns);
    // One event per position of a chain, even with two concurrent sealers. Unsealed ones are null and do not collide.
    await index('audit_event_place', ['chain', 'sequence']).unique().execute();
    await index('audit_event_chain', ['chain', 'id']).execute();
    await index('audit_event_action', ['chain', 'action', 'id']).execute();
    await index('audit_event_actor', ['actor_id', 'id']).execute();
    await index('audit_event_target', ['target_id', 'id']).execute();
    await sql`CREATE INDEX audit_event_unsealed ON audit_event (id) WHERE sequence IS NULL`.execute(db);
  },
};
