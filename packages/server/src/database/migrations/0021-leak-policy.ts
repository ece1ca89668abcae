import type { Kysely, Migration } from 'kysely';

/** Whether a reported leak revokes the key. */
export const leakPolicy: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .alterTable('workspace')
      .addColumn('revoke_leaked', 'integer', (column) => column.notNull().defaultTo(0))
      .execute();
  },
};
