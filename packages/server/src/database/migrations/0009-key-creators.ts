import { type Kysely, type Migration, sql } from 'kysely';
import { isPostgres } from '../dialect.ts';

/** Maximum number of keys per change. A node reads several changes in one heartbeat, which times out after 800 ms. */
const keysOfChange = 500;

/**
 * One row per statement that has changed keys, until its transaction commits. A deferred trigger fires for each row. On
 * `api_key` this would take quadratic time, because each change of the head leaves a row version that the next one must
 * skip: 10,000 keys took longer than the statement timeout of 10 s.
 */
const batches = `
  CREATE TABLE key_change_batch (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    keys text[] NOT NULL
  )`;

/** EXCEPT rather than a join: its cached plan, made for one row, also works for thousands. */
const collect = `
  CREATE FUNCTION soku_collect_keys() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE changed text[];
  BEGIN
    SELECT array_agg(id) INTO changed FROM (SELECT * FROM new_rows EXCEPT SELECT * FROM old_rows) differing;
    IF changed IS NOT NULL THEN INSERT INTO key_change_batch (keys) VALUES (changed); END IF;
    RETURN NULL;
  END $$`;

/** As in \`soku_publish\`, it locks the head before it reads the secrets. */
const publish = `
  CREATE FUNCTION soku_publish_batch() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE
    new_token text;
    new_seq bigint;
    slice text[];
  BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
      RAISE EXCEPTION 'soku: keys are changed in READ COMMITTED only' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    FOR n IN 1..cardinality(NEW.keys) BY ${keysOfChange} LOOP
      slice := NEW.keys[n:n + ${keysOfChange - 1}];
      new_token := gen_random_uuid()::text;
      UPDATE change_head SET seq = change_head.seq + 1, token = new_token RETURNING change_head.seq INTO new_seq;
      INSERT INTO key_change (seq, token, kind, subject, hashes)
      VALUES (new_seq, new_token, 'key', CASE WHEN cardinality(slice) = 1 THEN slice[1] ELSE '' END,
        ARRAY(SELECT s.hash FROM api_key_secret s WHERE s.key_id = ANY(slice)));
    END LOOP;
    DELETE FROM key_change_batch WHERE id = NEW.id;
    PERFORM pg_notify('soku_change', '');
    RETURN NULL;
  END $$`;

/**
 * Key IDs are compared by bytes, like api_key.id. With another collation the comparison used no index, so each revoke and
 * each read of a key scanned all secrets.
 */
const collations = [
  'DROP TRIGGER api_key_published ON api_key',
  'DROP TRIGGER api_key_secret_identity ON api_key_secret',
  'ALTER TABLE api_key ALTER COLUMN created_by TYPE text COLLATE "C"',
  'ALTER TABLE api_key_secret ALTER COLUMN key_id TYPE text COLLATE "C"',
  `CREATE TRIGGER api_key_secret_identity BEFORE UPDATE ON api_key_secret
   FOR EACH ROW WHEN (NEW.hash IS DISTINCT FROM OLD.hash OR NEW.key_id IS DISTINCT FROM OLD.key_id)
   EXECUTE FUNCTION soku_refuse('a secret keeps its hash and its key')`,
  'ALTER TABLE api_key_secret ENABLE ALWAYS TRIGGER api_key_secret_identity',
];

const triggers = [
  'DROP FUNCTION soku_publish_key()',
  `CREATE TRIGGER api_key_published AFTER UPDATE ON api_key
   REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
   FOR EACH STATEMENT EXECUTE FUNCTION soku_collect_keys()`,
  'ALTER TABLE api_key ENABLE ALWAYS TRIGGER api_key_published',
  `CREATE CONSTRAINT TRIGGER key_change_batch_published AFTER INSERT ON key_change_batch
   DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION soku_publish_batch()`,
  'ALTER TABLE key_change_batch ENABLE ALWAYS TRIGGER key_change_batch_published',
];

/** A key is revoked together with the keys that it created. They are found by their creator and published together. */
export const keyCreators: Migration = {
  async up(db: Kysely<unknown>) {
    if (isPostgres(db)) {
      for (const statement of [...collations, batches, collect, publish, ...triggers])
        await sql.raw(statement).execute(db);
    }
    await db.schema
      .createIndex('api_key_creator')
      .on('api_key')
      .columns(['created_by', 'workspace_id'])
      .execute();
  },
};
