/** Rejects the statement, with the trigger's argument as the reason. */
const refuse = `
  CREATE FUNCTION soku_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN RAISE EXCEPTION 'soku: %', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END $$`;

const recordRevokedHashes = `
  CREATE FUNCTION soku_bury() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO dead_hash (hash) SELECT hash FROM api_key_secret WHERE key_id = NEW.id ON CONFLICT DO NOTHING;
    RETURN NULL;
  END $$`;

/** The lock ensures that a revoke of the same key either sees this secret or finishes before its insertion. */
const refuseUsedHash = `
  CREATE FUNCTION soku_refuse_used_hash() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM 1 FROM api_key WHERE id = NEW.key_id FOR SHARE;
    IF EXISTS (SELECT 1 FROM dead_hash WHERE hash = NEW.hash) THEN
      RAISE EXCEPTION 'soku: this hash was used before' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
  END $$`;

/**
 * A trigger that also fires with session_replication_role = replica, which disables ordinary ones.
 *
 * @param rest from BEFORE or AFTER on
 */
function always(name: string, table: string, rest: string): string[] {
  return [`CREATE TRIGGER ${name} ${rest}`, `ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${name}`];
}

function refuseEach(name: string, table: string, event: string, when: string, reason: string): string[] {
  const condition = when === '' ? '' : `WHEN (${when}) `;
  const rest = `BEFORE ${event} ON ${table} FOR EACH ROW ${condition}EXECUTE FUNCTION soku_refuse('${reason}')`;
  return always(name, table, rest);
}

function refuseTruncate(table: string): string[] {
  const rest = `BEFORE TRUNCATE ON ${table} EXECUTE FUNCTION soku_refuse('keys are revoked, never deleted')`;
  return always(`${table}_not_truncated`, table, rest);
}

/**
 * The same guarantees as on SQLite. An INSERT that replaces (ON CONFLICT DO UPDATE, MERGE) fires the UPDATE triggers
 * here, so it needs no separate triggers.
 */
export const postgresTriggers: readonly string[] = [
  refuse,
  recordRevokedHashes,
  refuseUsedHash,
  ...refuseEach(
    'api_key_identity',
    'api_key',
    'UPDATE',
    'NEW.id IS DISTINCT FROM OLD.id OR NEW.workspace_id IS DISTINCT FROM OLD.workspace_id',
    'a key keeps its id and its workspace',
  ),
  ...refuseEach(
    'api_key_dead',
    'api_key',
    'UPDATE',
    `OLD.revoked_at IS NOT NULL
     AND (NEW.revoked_at IS DISTINCT FROM OLD.revoked_at OR NEW.revoked_by IS DISTINCT FROM OLD.revoked_by)`,
    'a revoked key stays revoked',
  ),
  ...refuseEach('api_key_kept', 'api_key', 'DELETE', '', 'keys are revoked, never deleted'),
  ...refuseTruncate('api_key'),
  ...always(
    'api_key_buried',
    'api_key',
    `AFTER UPDATE OF revoked_at ON api_key FOR EACH ROW
     WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION soku_bury()`,
  ),
  ...refuseEach(
    'api_key_secret_identity',
    'api_key_secret',
    'UPDATE',
    'NEW.hash IS DISTINCT FROM OLD.hash OR NEW.key_id IS DISTINCT FROM OLD.key_id',
    'a secret keeps its hash and its key',
  ),
  ...refuseEach('api_key_secret_kept', 'api_key_secret', 'DELETE', '', 'secrets are never deleted'),
  ...refuseTruncate('api_key_secret'),
  ...always(
    'api_key_secret_not_used',
    'api_key_secret',
    'BEFORE INSERT ON api_key_secret FOR EACH ROW EXECUTE FUNCTION soku_refuse_used_hash()',
  ),
  ...refuseEach('dead_hash_changed', 'dead_hash', 'UPDATE', '', 'a dead hash stays dead'),
  ...refuseEach('dead_hash_removed', 'dead_hash', 'DELETE', '', 'a dead hash stays dead'),
  ...refuseTruncate('dead_hash'),
];
