import { type Kysely, type Migration, sql } from 'kysely';
import { columnTypes, isPostgres } from '../dialect.ts';

/**
 * A server of the previous version does not write `resumed_at` when it enables a key, or gives an expired one a later date.
 * It can run beside this one during a rolling upgrade, so only with PostgreSQL.
 */
const resumed = [
  `CREATE FUNCTION soku_resume_key() RETURNS trigger LANGUAGE plpgsql AS $$
   DECLARE now bigint := extract(epoch FROM clock_timestamp()) * 1000;
   BEGIN
     IF (OLD.disabled_at IS NOT NULL AND NEW.disabled_at IS NULL) OR (OLD.expires_at <= now
         AND (NEW.expires_at IS NULL OR NEW.expires_at > now)) THEN
       NEW.resumed_at := now;
     END IF;
     RETURN NEW;
   END $$`,
  `CREATE TRIGGER api_key_resumed BEFORE UPDATE ON api_key FOR EACH ROW
   WHEN (NEW.resumed_at IS NOT DISTINCT FROM OLD.resumed_at AND (NEW.disabled_at IS DISTINCT FROM OLD.disabled_at
     OR NEW.expires_at IS DISTINCT FROM OLD.expires_at))
   EXECUTE FUNCTION soku_resume_key()`,
];

/**
 * The policies that disable idle keys and require an expiration date. Servers of earlier versions did not record when they
 * ran, so this is known from the upgrade on. Nor did they record when a key was enabled again: such a key
 * has been idle since its last use, and gets two warnings like all others.
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
    for (const statement of isPostgres(db) ? resumed : []) await sql.raw(statement).execute(db);
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
