/**
 * The transaction of a revoke or retirement. A trigger that is added while the server runs may undo it. The call then
 * fails and never reports success.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import { databases, openTestDatabase } from '../../../../test/support/open-database.ts';
import { propagationOf } from '../../../../test/support/propagation.ts';
import type { Database } from '../database/open.ts';
import { systemActor } from '../events/actor.ts';
import { RequestError } from '../http/errors.ts';
import { writeRevocation } from '../keys/revoke-writes.ts';
import { writeRetirement } from '../keys/rotation-writes.ts';

/** Inserts a key that is not revoked. */
async function addKey({ kind, kysely }: Database): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(kysely);
  await run(`INSERT INTO workspace (id, name, created_at) VALUES ('ws', 'W', 1)`);
  const hash = kind === 'sqlite' ? "x'ab'" : "'\\xab'";
  await run(`INSERT INTO api_key (id, workspace_id, created_by, name, name_folded, scopes, created_at)
    VALUES ('key', 'ws', 'usr', 'k', 'k', '', 1)`);
  await run(`INSERT INTO api_key_secret (hash, key_id, prefix, preview_start, preview_end, created_at)
    VALUES (${hash}, 'key', 'sk_live_', 'a', 'b', 1)`);
}

const revoke = { workspaceId: 'ws', id: 'key', by: 'usr', at: 2, reason: null, descendants: false };

const event = {
  chain: 'ws',
  at: 2,
  actor: { ...systemActor, name: 'O\'Hara \\ "é"' },
  action: 'key.revoked',
  target: { kind: 'key', id: 'key', name: 'k' },
  details: { descendantOf: null },
} as const;

for (const which of databases) {
  test(`a command and its events are committed together, on ${which}`, async (t) => {
    const { database, close } = await openTestDatabase(which);
    t.after(close);
    await addKey(database);
    const commit = () =>
      propagationOf(database).commit(async (db) => {
        const value = await writeRevocation(db, revoke);
        return { value, changed: { kind: 'revoked', ids: ['key'] }, events: [event] };
      });
    const { kysely } = database;
    const key = () => kysely.selectFrom('api_key').select('revoked_at').executeTakeFirstOrThrow();
    const rename = (from: string, to: string) => kysely.schema.alterTable(from).renameTo(to).execute();
    await rename('audit_event', 'elsewhere');
    await assert.rejects(commit(), /audit_event/);
    assert.equal((await key()).revoked_at, null, 'no revoke is committed without its event');
    await rename('elsewhere', 'audit_event');
    await commit();
    assert.equal((await key()).revoked_at, 2);
    const events = await kysely.selectFrom('audit_event').selectAll().execute();
    const { actor, details, target } = event;
    assert.deepEqual(
      events.map((row) => [row.at, row.actor_name, row.user_agent, row.target_id, row.details, row.sequence]),
      [[2, actor.name, null, target.id, JSON.stringify(details), null]],
    );
  });
}

test('a revoke takes three round trips on PostgreSQL', async (t) => {
  const { database, close } = await openTestDatabase('postgres');
  t.after(close);
  assert.ok(database.kind === 'postgres');
  await addKey(database);
  const client = await database.pool.connect();
  const query = t.mock.method(client, 'query');
  client.release();
  await propagationOf(database).commit(async (db) => {
    const value = await writeRevocation(db, revoke);
    return { value, changed: { kind: 'revoked', ids: ['key'] }, events: [event] };
  });
  const sent = query.mock.calls.map(({ arguments: [text] }) => String(text).split(/[ ;]/)[0]);
  assert.deepEqual(sent, ['BEGIN', 'update', 'INSERT']);
});

const undo = `CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN UPDATE api_key SET revoked_at = NULL WHERE id = NEW.id; RETURN NULL; END $$`;
const deleteDeadHash = `CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN DELETE FROM dead_hash; RETURN NULL; END $$`;

const tampering = {
  sqlite: {
    'undoes the update': [
      'DROP TRIGGER api_key_dead',
      `CREATE TRIGGER undo AFTER UPDATE ON api_key WHEN NEW.revoked_at IS NOT NULL
         BEGIN UPDATE api_key SET revoked_at = NULL; END`,
    ],
    'does not record the revoked hash': ['DROP TRIGGER api_key_buried'],
  },
  postgres: {
    'undoes the update': [
      'ALTER TABLE api_key DISABLE TRIGGER api_key_dead',
      undo,
      'CREATE TRIGGER zzz AFTER UPDATE ON api_key FOR EACH ROW WHEN (NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION undo()',
    ],
    'undoes the update at the commit': [
      'ALTER TABLE api_key DISABLE TRIGGER api_key_dead',
      undo,
      `CREATE CONSTRAINT TRIGGER zzz AFTER UPDATE ON api_key DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW WHEN (NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION undo()`,
    ],
    'deletes the revoked hash': [
      'ALTER TABLE dead_hash DISABLE TRIGGER dead_hash_removed',
      deleteDeadHash,
      'CREATE TRIGGER zzz AFTER UPDATE ON api_key FOR EACH ROW EXECUTE FUNCTION undo()',
    ],
    'skips the row': [
      `CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
      'CREATE TRIGGER zzz BEFORE UPDATE ON api_key FOR EACH ROW EXECUTE FUNCTION skip()',
    ],
    'rewrites the statement': ['CREATE RULE nothing AS ON UPDATE TO api_key DO INSTEAD NOTHING'],
  },
};

for (const [kind, attacks] of Object.entries(tampering)) {
  for (const [name, statements] of Object.entries(attacks)) {
    test(`${kind}: a revoke fails when the database ${name}`, async (t) => {
      const { database, close } = await openTestDatabase(kind === 'sqlite' ? kind : 'postgres');
      t.after(close);
      const { kysely } = database;
      const run = (text: string) => sql.raw(text).execute(kysely);
      await addKey(database);
      const propagation = propagationOf(database);
      const attempt = async (descendants: boolean, workspaceId = 'ws') => {
        const { value } = await propagation.commit(async (db) => {
          const value = await writeRevocation(db, { ...revoke, workspaceId, descendants });
          return { value, changed: value && { kind: 'revoked', ids: value.journalKeyIds } };
        });
        return value;
      };
      assert.equal(await attempt(false, 'other'), undefined);
      for (const statement of statements) await run(statement);
      const fails = (descendants: boolean) =>
        assert.rejects(
          attempt(descendants),
          (error) => error instanceof RequestError && error.problem.code === 'internal_error',
        );
      await fails(false);
      const key = await kysely.selectFrom('api_key').select('revoked_at').executeTakeFirstOrThrow();
      assert.equal(key.revoked_at, null, 'nothing is written partially');
      await fails(true);
    });
  }
}

const retirementTampering = {
  sqlite: {
    'undoes the update': [
      'DROP TRIGGER api_key_secret_stays_retired',
      `CREATE TRIGGER undo AFTER UPDATE ON api_key_secret WHEN NEW.retired_at IS NOT NULL
         BEGIN UPDATE api_key_secret SET retired_at = NULL; END`,
    ],
    'does not record the retired hash': ['DROP TRIGGER api_key_secret_retired'],
  },
  postgres: {
    'undoes the update at the commit': [
      'ALTER TABLE api_key_secret DISABLE TRIGGER api_key_secret_stays_retired',
      `CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN UPDATE api_key_secret SET retired_at = NULL WHERE hash = NEW.hash; RETURN NULL; END $$`,
      `CREATE CONSTRAINT TRIGGER zzz AFTER UPDATE ON api_key_secret DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW WHEN (NEW.retired_at IS NOT NULL) EXECUTE FUNCTION undo()`,
    ],
    'skips the row': [
      `CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
      'CREATE TRIGGER zzz BEFORE UPDATE ON api_key_secret FOR EACH ROW EXECUTE FUNCTION skip()',
    ],
    'does not record the retired hash': ['ALTER TABLE api_key_secret DISABLE TRIGGER api_key_secret_retired'],
  },
};

for (const [kind, attacks] of Object.entries(retirementTampering)) {
  for (const [name, statements] of Object.entries(attacks)) {
    test(`${kind}: a retirement fails when the database ${name}`, async (t) => {
      const { database, close } = await openTestDatabase(kind === 'sqlite' ? kind : 'postgres');
      t.after(close);
      const { kysely } = database;
      const run = (text: string) => sql.raw(text).execute(kysely);
      await addKey(database);
      const hash = kind === 'sqlite' ? "x'cd'" : "'\\xcd'";
      await run(`INSERT INTO api_key_secret (hash, key_id, prefix, preview_start, preview_end, created_at)
        VALUES (${hash}, 'key', 'sk_live_', 'a', 'b', 2)`);
      const [older] = await kysely.selectFrom('api_key_secret').selectAll().orderBy('created_at').execute();
      const request = { workspaceId: 'ws', keyId: 'key', secretId: older?.id ?? '', now: 3 };
      const attempt = () =>
        propagationOf(database).commit(async (db) => {
          const { changed } = await writeRetirement(db, request);
          return { value: undefined, changed };
        });
      for (const statement of statements) await run(statement);
      await assert.rejects(
        attempt(),
        (error) => error instanceof RequestError && error.problem.code === 'internal_error',
      );
      const rows = await kysely.selectFrom('api_key_secret').select('retired_at').execute();
      assert.deepEqual(
        rows.map((row) => row.retired_at),
        [null, null],
        'nothing is written partially',
      );
    });
  }
}
