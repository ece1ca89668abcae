import type { Kysely, Migration } from 'kysely';
import { columnTypes } from '../dialect.ts';

/**
 * Two tables, each in the order in which it is written. What is counted in one hour lies together, so that a flush
 * of many keys touches few pages: with the key first, every row of the present hour would lie among the past hours
 * of its own key, on a page of its own (measured with 100 hours of 20 000 keys: 14 us a row in place of 2). For the
 * same reason the last use has a table of its own; and so the counts can be deleted by age, and it stays. That one is
 * written only when something about the use is new, because most keys are used from one place by one program.
 *
 * The foreign keys need no index of their own: keys and secrets are never deleted, nor given another id (triggers
 * hold it), so nobody ever looks for the rows that refer to one.
 */
export const usage: Migration = {
  async up(db: Kysely<unknown>) {
    const { bytes, clustered } = columnTypes(db);
    await db.schema
      .createTable('usage_hour')
      .addColumn('hour', 'integer', (column) => column.notNull())
      .addColumn('key_id', 'text', (column) => column.notNull().references('api_key.id'))
      .addColumn('hash', bytes, (column) => column.notNull().references('api_key_secret.hash'))
      .addColumn('accepted', 'bigint', (column) => column.notNull())
      .addColumn('refused', 'bigint', (column) => column.notNull())
      .addColumn('last_at', 'bigint')
      .addPrimaryKeyConstraint('usage_hour_key', ['hour', 'key_id', 'hash'])
      .modifyEnd(clustered)
      .execute();
    await db.schema
      .createTable('last_use')
      .addColumn('key_id', 'text', (column) => column.notNull().references('api_key.id'))
      .addColumn('hash', bytes, (column) => column.notNull().references('api_key_secret.hash'))
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('address', 'text', (column) => column.notNull())
      .addColumn('agent', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('last_use_key', ['key_id', 'hash'])
      .modifyEnd(clustered)
      .execute();
  },
};
