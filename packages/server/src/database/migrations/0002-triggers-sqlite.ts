/**
 * The database itself guarantees that a revoked key stays revoked, also against bugs and manual SQL. The BEFORE INSERT
 * triggers are as important as the others: INSERT OR REPLACE deletes the old row without firing delete triggers unless
 * recursive_triggers is on, and the guarantee must not depend on a pragma.
 */
export const sqliteTriggers: readonly string[] = [
  `CREATE TRIGGER api_key_identity BEFORE UPDATE ON api_key
   WHEN NEW.id IS NOT OLD.id OR NEW.workspace_id IS NOT OLD.workspace_id
   BEGIN SELECT RAISE(ABORT, 'soku: a key keeps its id and its workspace'); END`,
  `CREATE TRIGGER api_key_dead BEFORE UPDATE ON api_key
   WHEN OLD.revoked_at IS NOT NULL
     AND (NEW.revoked_at IS NOT OLD.revoked_at OR NEW.revoked_by IS NOT OLD.revoked_by)
   BEGIN SELECT RAISE(ABORT, 'soku: a revoked key stays revoked'); END`,
  `CREATE TRIGGER api_key_kept BEFORE DELETE ON api_key
   BEGIN SELECT RAISE(ABORT, 'soku: keys are revoked, never deleted'); END`,
  `CREATE TRIGGER api_key_not_replaced BEFORE INSERT ON api_key
   WHEN EXISTS (SELECT 1 FROM api_key WHERE id = NEW.id)
   BEGIN SELECT RAISE(ABORT, 'soku: a key is not replaced'); END`,
  `CREATE TRIGGER api_key_buried AFTER UPDATE OF revoked_at ON api_key
   WHEN OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL
   BEGIN INSERT OR IGNORE INTO dead_hash (hash) SELECT hash FROM api_key_secret WHERE key_id = NEW.id; END`,
  `CREATE TRIGGER api_key_secret_identity BEFORE UPDATE ON api_key_secret
   WHEN NEW.hash IS NOT OLD.hash OR NEW.key_id IS NOT OLD.key_id
   BEGIN SELECT RAISE(ABORT, 'soku: a secret keeps its hash and its key'); END`,
  `CREATE TRIGGER api_key_secret_kept BEFORE DELETE ON api_key_secret
   BEGIN SELECT RAISE(ABORT, 'soku: secrets are never deleted'); END`,
  `CREATE TRIGGER api_key_secret_not_replaced BEFORE INSERT ON api_key_secret
   WHEN EXISTS (SELECT 1 FROM api_key_secret WHERE hash = NEW.hash)
     OR EXISTS (SELECT 1 FROM dead_hash WHERE hash = NEW.hash)
   BEGIN SELECT RAISE(ABORT, 'soku: this hash was used before'); END`,
  `CREATE TRIGGER dead_hash_changed BEFORE UPDATE ON dead_hash
   BEGIN SELECT RAISE(ABORT, 'soku: a dead hash stays dead'); END`,
  `CREATE TRIGGER dead_hash_removed BEFORE DELETE ON dead_hash
   BEGIN SELECT RAISE(ABORT, 'soku: a dead hash stays dead'); END`,
];
