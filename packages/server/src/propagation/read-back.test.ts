/** A trigger that is added while the server runs may undo a revoke. Then the revoke fails; it never claims success. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import { openTestDatabase } from '../../../../test/support/open-database.ts';
import type { Database } from '../database/open.ts';
import { RequestError } from '../http/errors.ts';
import { writeRevocation } from '../keys/writes.ts';
import { manyNodesPropagation } from './many-nodes.ts';
import type { Propagation } from './propagation.ts';
import { singleProcessPropagation } from './single-process.ts';

/** The propagation over a real database, with a cache and a journal that belong to no one. */
function propagationOf(database: Database): Propagation {
  const journal = { append: async () => undefined, onReapplied: () => undefined };
  if (database.kind === 'sqlite') {
    return singleProcessPropagation(database, { forget: () => 0, forgetWorkspace: () => 0 }, journal);
  }
  const settle = async () => ({ nodes: 1, waitedMs: 0 });
  return manyNodesPropagation(database, { settle }, { monotonic: () => 0, wall: () => 0 }, journal);
}

const undo = `CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN UPDATE api_key SET revoked_at = NULL WHERE id = NEW.id; RETURN NULL; END $$`;
const unbury = `CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN DELETE FROM dead_hash; RETURN NULL; END $$`;

const changes = {
  sqlite: {
    'undoes the update': [
      'DROP TRIGGER api_key_dead',
      `CREATE TRIGGER undo AFTER UPDATE ON api_key WHEN NEW.revoked_at IS NOT NULL
         BEGIN UPDATE api_key SET revoked_at = NULL; END`,
    ],
    'keeps no dead hash': ['DROP TRIGGER api_key_buried'],
  },
  postgres: {
    'undoes the update': [
      'ALTER TABLE api_key DISABLE TRIGGER api_key_dead',
      undo,
      'CREATE TRIGGER zzz AFTER UPDATE ON api_key FOR EACH ROW WHEN (NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION undo()',
    ],
    'undoes it at the commit': [
      'ALTER TABLE api_key DISABLE TRIGGER api_key_dead',
      undo,
      `CREATE CONSTRAINT TRIGGER zzz AFTER UPDATE ON api_key DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW WHEN (NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION undo()`,
    ],
    'takes the dead hash away': [
      'ALTER TABLE dead_hash DISABLE TRIGGER dead_hash_removed',
      unbury,
      'CREATE TRIGGER zzz AFTER UPDATE ON api_key FOR EACH ROW EXECUTE FUNCTION undo()',
    ],
    'skips the row': ['CREATE RULE nothing AS ON UPDATE TO api_key DO INSTEAD NOTHING'],
  },
};

for (const [kind, attacks] of Object.entries(changes)) {
  for (const [name, statements] of Object.entries(attacks)) {
    test(`${kind}: a revoke fails when the database ${name}`, async (t) => {
      const { database, close } = await openTestDatabase(kind === 'sqlite' ? kind : 'postgres');
      t.after(close);
      const { kysely } = database;
      const run = (text: string) => sql.raw(text).execute(kysely);
      await run(`INSERT INTO workspace (id, name, created_at) VALUES ('ws', 'W', 1)`);
      const hash = kind === 'sqlite' ? "x'ab'" : "'\\xab'";
      await run(`INSERT INTO api_key (id, workspace_id, created_by, name, name_folded, scopes, created_at)
        VALUES ('key', 'ws', 'usr', 'k', 'k', '', 1)`);
      await run(`INSERT INTO api_key_secret (hash, key_id, prefix, preview_start, preview_end, created_at)
        VALUES (${hash}, 'key', 'sk_live_', 'a', 'b', 1)`);
      for (const statement of statements) await run(statement);
      const propagation = propagationOf(database);
      const revoke = async (descendants: boolean, workspaceId = 'ws') => {
        const { value } = await propagation.commit(async (db) => {
          const value = await writeRevocation(db, {
            id: 'key',
            workspaceId,
            by: "o'hara",
            at: 2,
            descendants,
          });
          return { value, changed: value && { kind: 'revoked', ids: value.keep } };
        });
        return value;
      };
      const fails = (descendants: boolean) =>
        assert.rejects(
          revoke(descendants),
          (error) => error instanceof RequestError && error.refusal.code === 'internal_error',
        );
      await fails(false);
      const key = await kysely.selectFrom('api_key').select('revoked_at').executeTakeFirstOrThrow();
      assert.equal(key.revoked_at, null, 'nothing half-written');
      assert.equal(await revoke(false, 'other'), undefined);
      await fails(true);
    });
  }
}
