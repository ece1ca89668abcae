import { type Kysely, type Migration, sql } from 'kysely';
import { isPostgres } from '../dialect.ts';

/**
 * While all keys of a workspace are being revoked, `revoking_at` of its row makes them count as revoked. 0017 prevents
 * changes of the column; these triggers keep the row from being deleted, replaced or given another id.
 */
const rowStays = {
  postgres: [
    `CREATE FUNCTION soku_keep_marked_row() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       IF EXISTS (SELECT 1 FROM api_key WHERE workspace_id = OLD.id AND revoked_at IS NULL) THEN
         RAISE EXCEPTION 'soku: the keys of this workspace are being revoked' USING ERRCODE = 'integrity_constraint_violation';
       END IF;
       RETURN OLD;
     END $$`,
    `CREATE TRIGGER workspace_stays_while_marked BEFORE DELETE ON workspace FOR EACH ROW
     WHEN (OLD.revoking_at IS NOT NULL) EXECUTE FUNCTION soku_keep_marked_row()`,
    'ALTER TABLE workspace ENABLE ALWAYS TRIGGER workspace_stays_while_marked',
    `CREATE TRIGGER workspace_keeps_id BEFORE UPDATE OF id ON workspace FOR EACH ROW
     WHEN (NEW.id IS DISTINCT FROM OLD.id)
     EXECUTE FUNCTION soku_refuse('the id of a workspace never changes')`,
    'ALTER TABLE workspace ENABLE ALWAYS TRIGGER workspace_keeps_id',
  ],
  sqlite: [
    `CREATE TRIGGER workspace_stays_while_marked BEFORE DELETE ON workspace
     WHEN OLD.revoking_at IS NOT NULL
       AND EXISTS (SELECT 1 FROM api_key WHERE workspace_id = OLD.id AND revoked_at IS NULL)
     BEGIN SELECT RAISE(ABORT, 'soku: the keys of this workspace are being revoked'); END`,
    // REPLACE deletes the row without firing the trigger above.
    `CREATE TRIGGER workspace_not_replaced_while_marked BEFORE INSERT ON workspace
     WHEN EXISTS (SELECT 1 FROM workspace WHERE id = NEW.id AND revoking_at IS NOT NULL)
       AND EXISTS (SELECT 1 FROM api_key WHERE workspace_id = NEW.id AND revoked_at IS NULL)
     BEGIN SELECT RAISE(ABORT, 'soku: the keys of this workspace are being revoked'); END`,
    `CREATE TRIGGER workspace_keeps_id BEFORE UPDATE OF id ON workspace WHEN NEW.id IS NOT OLD.id
     BEGIN SELECT RAISE(ABORT, 'soku: the id of a workspace never changes'); END`,
  ],
};

export const keptMark: Migration = {
  async up(db: Kysely<unknown>) {
    for (const statement of rowStays[isPostgres(db) ? 'postgres' : 'sqlite'])
      await sql.raw(statement).execute(db);
  },
};
