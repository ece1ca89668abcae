import { type Kysely, type Migration, sql } from 'kysely';

/**
 * The maximum age of secrets in a workspace, since when the usage in this database is complete, and the time of the
 * import of each imported key, before which its usage is unknown.
 *
 * No copy includes `usage_history`, so a restored backup and a database that was moved begin a new time: what was used
 * between the backup and its restore is not known. The same is assumed for a database of an earlier version, because it
 * does not say whether it was restored. For the same reason, keys that were imported before need no `imported_at`.
 */
export const hygiene: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('workspace').addColumn('max_secret_age', 'bigint').execute();
    await db.schema.alterTable('api_key').addColumn('imported_at', 'bigint').execute();
    await db.schema
      .createTable('usage_history')
      .addColumn('id', 'integer', (column) => column.primaryKey().notNull().check(sql`id = 1`))
      .addColumn('complete_since', 'bigint', (column) => column.notNull())
      .execute();
    await sql`INSERT INTO usage_history (id, complete_since) VALUES (1, ${Date.now()})`.execute(db);
  },
};
