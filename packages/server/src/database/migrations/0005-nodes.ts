import { type Kysely, type Migration, sql } from 'kysely';
import { isPostgres } from '../dialect.ts';

/**
 * The change log and the list of nodes, through which every node learns of a change before the call that made it returns
 * (docs/revocation.md). Only on PostgreSQL, because on SQLite there is only one process.
 */
const tables = [
  // One row. Each change locks it until the commit, so the order of seq is the order of commits.
  `CREATE TABLE change_head (
     single boolean PRIMARY KEY DEFAULT true CHECK (single),
     seq bigint NOT NULL,
     token text NOT NULL,
     lease_ms integer NOT NULL CHECK (lease_ms >= 100)
   )`,
  `CREATE TABLE key_change (
     seq bigint PRIMARY KEY,
     token text NOT NULL,
     kind text NOT NULL CHECK (kind IN ('key', 'workspace', 'secret')),
     subject text NOT NULL,
     hashes bytea[] NOT NULL
   )`,
  `CREATE TABLE verifier_node (
     id text PRIMARY KEY,
     name text NOT NULL,
     acked_seq bigint NOT NULL,
     renewal text NOT NULL,
     joined_at timestamptz NOT NULL DEFAULT now()
   )`,
  // An initial change, so that a node that has applied nothing yet has a token to compare.
  `INSERT INTO change_head (seq, token, lease_ms) VALUES (0, gen_random_uuid()::text, 2000)`,
  `INSERT INTO key_change (seq, token, kind, subject, hashes)
   SELECT seq, token, 'workspace', '', '{}' FROM change_head`,
];

/**
 * Publishes a change. It locks the head before it reads the secrets, so that the read sees those that were added before
 * the lock. In the snapshot of a whole transaction it would miss some, and nodes would keep them in their caches.
 */
const publish = `
  CREATE FUNCTION soku_publish(kind text, subject text, hash bytea) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE
    new_token text := gen_random_uuid()::text;
    new_seq bigint;
    hashes bytea[] := ARRAY[]::bytea[];
  BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
      RAISE EXCEPTION 'soku: keys are changed in READ COMMITTED only' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    UPDATE change_head SET seq = change_head.seq + 1, token = new_token RETURNING change_head.seq INTO new_seq;
    IF kind = 'key' THEN
      SELECT coalesce(array_agg(s.hash), hashes) INTO hashes FROM api_key_secret s WHERE s.key_id = subject;
    ELSIF kind = 'secret' THEN
      hashes := ARRAY[hash];
    END IF;
    INSERT INTO key_change (seq, token, kind, subject, hashes)
    VALUES (new_seq, new_token, kind, subject, hashes);
    PERFORM pg_notify('soku_change', '');
  END $$`;

const publishers = [
  `CREATE FUNCTION soku_publish_key() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN PERFORM soku_publish('key', NEW.id, NULL); RETURN NULL; END $$`,
  `CREATE FUNCTION soku_publish_workspace() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN PERFORM soku_publish('workspace', NEW.id, NULL); RETURN NULL; END $$`,
  `CREATE FUNCTION soku_publish_secret() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN PERFORM soku_publish('secret', '', NEW.hash); RETURN NULL; END $$`,
];

/**
 * Triggers publish every change of a key, including manual SQL. They are deferred until the commit, so no transaction
 * holds the lock on the head while it waits for its client, and a frozen node blocks no other.
 */
function deferred(name: string, table: string, event: string, when: string, run: string): string[] {
  return [
    `CREATE CONSTRAINT TRIGGER ${name} AFTER ${event} ON ${table} DEFERRABLE INITIALLY DEFERRED
     FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION ${run}()`,
    // Also fires with session_replication_role = replica.
    `ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${name}`,
  ];
}

const differs = 'OLD.* IS DISTINCT FROM NEW.*';

const triggers = [
  ...deferred('api_key_published', 'api_key', 'UPDATE', differs, 'soku_publish_key'),
  ...deferred('workspace_published', 'workspace', 'UPDATE', differs, 'soku_publish_workspace'),
  // Hashes of a revoked key are inserted by a trigger, at depth 1, and published with the key.
  ...deferred('dead_hash_published', 'dead_hash', 'INSERT', 'pg_trigger_depth() = 0', 'soku_publish_secret'),
];

export const nodes: Migration = {
  async up(db: Kysely<unknown>) {
    if (!isPostgres(db)) return;
    for (const statement of [...tables, publish, ...publishers, ...triggers])
      await sql.raw(statement).execute(db);
  },
};
