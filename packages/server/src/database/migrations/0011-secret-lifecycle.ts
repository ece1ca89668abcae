import { type Kysely, type Migration, sql } from 'kysely';
import { isPostgres } from '../dialect.ts';

/** A secret can end before its key. A retired secret stays retired: its hash is in dead_hash. */
const sqliteTriggers = [
  `CREATE TRIGGER api_key_secret_stays_retired BEFORE UPDATE ON api_key_secret
   WHEN OLD.retired_at IS NOT NULL AND NEW.retired_at IS NOT OLD.retired_at
   BEGIN SELECT RAISE(ABORT, 'soku: a retired secret stays retired'); END`,
  `CREATE TRIGGER api_key_secret_retired AFTER UPDATE ON api_key_secret
   WHEN OLD.retired_at IS NULL AND NEW.retired_at IS NOT NULL
   BEGIN INSERT OR IGNORE INTO dead_hash (hash) VALUES (NEW.hash); END`,
];

const functions = [
  `CREATE FUNCTION soku_bury_secret() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     INSERT INTO dead_hash (hash) VALUES (NEW.hash) ON CONFLICT DO NOTHING;
     RETURN NULL;
   END $$`,
  // A change of a secret is published as a change of its key, in the same batches (migration 0009).
  `CREATE FUNCTION soku_collect_secrets() RETURNS trigger LANGUAGE plpgsql AS $$
   DECLARE changed text[];
   BEGIN
     SELECT array_agg(DISTINCT key_id) INTO changed
       FROM (SELECT * FROM new_rows EXCEPT SELECT * FROM old_rows) differing;
     IF changed IS NOT NULL THEN INSERT INTO key_change_batch (keys) VALUES (changed); END IF;
     RETURN NULL;
   END $$`,
];

/** A trigger that also fires with session_replication_role = replica. */
function always(name: string, rest: string): string[] {
  return [`CREATE TRIGGER ${name} ${rest}`, `ALTER TABLE api_key_secret ENABLE ALWAYS TRIGGER ${name}`];
}

const postgresTriggers = [
  ...always(
    'api_key_secret_stays_retired',
    `BEFORE UPDATE ON api_key_secret FOR EACH ROW
     WHEN (OLD.retired_at IS NOT NULL AND NEW.retired_at IS DISTINCT FROM OLD.retired_at)
     EXECUTE FUNCTION soku_refuse('a retired secret stays retired')`,
  ),
  ...always(
    'api_key_secret_retired',
    `AFTER UPDATE ON api_key_secret FOR EACH ROW
     WHEN (OLD.retired_at IS NULL AND NEW.retired_at IS NOT NULL) EXECUTE FUNCTION soku_bury_secret()`,
  ),
  ...always(
    'api_key_secret_published',
    `AFTER UPDATE ON api_key_secret REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
     FOR EACH STATEMENT EXECUTE FUNCTION soku_collect_secrets()`,
  ),
];

/** The end of secrets: a rotation gives a key a new secret, and the older one a time at which it retires. */
export const secretLifecycle: Migration = {
  async up(db: Kysely<unknown>) {
    for (const column of ['retires_at', 'retired_at']) {
      await db.schema.alterTable('api_key_secret').addColumn(column, 'bigint').execute();
    }
    const statements = isPostgres(db) ? [...functions, ...postgresTriggers] : sqliteTriggers;
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
