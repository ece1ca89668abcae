/**
 * The transaction of a revoke or retirement. A trigger that is added while the server runs may undo it. The call then
 * fails and never reports success.
 */
import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { sql } from 'kysely';
import { databases, openTestDatabase } from '../../../../test/support/open-database.ts';
import { propagationOf } from '../../../../test/support/propagation.ts';
import { systemActor } from '../events/actor.ts';
import { RequestError } from '../http/errors.ts';
import { writeRevocation } from '../keys/revoke-writes.ts';
import { writeRetirement } from '../keys/rotation-writes.ts';

/** All tests on PostgreSQL share a database. */
const onPostgres = openTestDatabase('postgres');
after(async () => (await onPostgres).close());

let keys = 0;

/** A database with a new key that is not revoked. Its id is also that of its workspace. */
async function setUp(t: TestContext, which: (typeof databases)[number]) {
  const { database, close } = which === 'postgres' ? await onPostgres : await openTestDatabase(which);
  if (which !== 'postgres') t.after(close);
  keys += 1;
  const id = `key_${keys}`;
  const { kysely } = database;
  const run = (text: string) => sql.raw(text).execute(kysely);
  await run(`INSERT INTO workspace (id, name, created_at) VALUES ('${id}', 'W', 1)`);
  await run(`INSERT INTO api_key (id, workspace_id, created_by, name, name_folded, scopes, created_at)
    VALUES ('${id}', '${id}', 'usr', 'k', 'k', '', 1)`);
  const addSecret = async (at: number) => {
    const hash = Buffer.from(`${id} ${at}`);
    const preview = { prefix: 'sk_live_', preview_start: 'a', preview_end: 'b' };
    await kysely
      .insertInto('api_key_secret')
      .values({ hash, key_id: id, ...preview, created_at: at })
      .execute();
  };
  await addSecret(1);
  const revoke = { workspaceId: id, id, by: 'usr', at: 2, reason: null, descendants: false };
  const isRevoked = async () => {
    const key = kysely.selectFrom('api_key').select('revoked_at').where('id', '=', id);
    return (await key.executeTakeFirstOrThrow()).revoked_at === 2;
  };
  return { database, id, run, addSecret, revoke, isRevoked };
}

const eventOf = (id: string) =>
  ({
    chain: id,
    at: 2,
    actor: { ...systemActor, name: 'O\'Hara \\ "é"' },
    action: 'key.revoked',
    target: { kind: 'key', id, name: 'k' },
    details: { descendantOf: null },
  }) as const;

for (const which of databases) {
  test(`a command and its events are committed together, on ${which}`, async (t) => {
    const { database, id, revoke, isRevoked } = await setUp(t, which);
    const event = eventOf(id);
    const commit = () =>
      propagationOf(database).commit(async (db) => {
        const value = await writeRevocation(db, revoke);
        return { value, changed: { kind: 'revoked', ids: [id] }, events: [event] };
      });
    const { kysely } = database;
    const rename = (from: string, to: string) => kysely.schema.alterTable(from).renameTo(to).execute();
    await rename('audit_event', 'elsewhere');
    await assert.rejects(commit(), /audit_event/);
    assert.equal(await isRevoked(), false, 'no revoke is committed without its event');
    await rename('elsewhere', 'audit_event');
    await commit();
    assert.equal(await isRevoked(), true);
    const events = await kysely.selectFrom('audit_event').selectAll().where('chain', '=', id).execute();
    const { actor, target } = event;
    assert.deepEqual(
      events.map((row) => [row.at, row.actor_name, row.user_agent, row.target_id, row.details, row.sequence]),
      [[2, actor.name, null, target.id, JSON.stringify(event.details), null]],
    );
  });
}

test('a revoke takes three round trips on PostgreSQL', async (t) => {
  const { database, id, revoke } = await setUp(t, 'postgres');
  assert.ok(database.kind === 'postgres');
  const client = await database.pool.connect();
  const query = t.mock.method(client, 'query');
  client.release();
  await propagationOf(database).commit(async (db) => {
    const value = await writeRevocation(db, revoke);
    return { value, changed: { kind: 'revoked', ids: [id] }, events: [eventOf(id)] };
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

/** Undoes any of the attacks on PostgreSQL. */
const repairs = [
  'DROP TRIGGER IF EXISTS zzz ON api_key',
  'DROP TRIGGER IF EXISTS zzz ON api_key_secret',
  'DROP RULE IF EXISTS nothing ON api_key',
  'DROP FUNCTION IF EXISTS undo, skip',
  'ALTER TABLE api_key ENABLE ALWAYS TRIGGER api_key_dead',
  'ALTER TABLE api_key_secret ENABLE ALWAYS TRIGGER api_key_secret_stays_retired',
  'ALTER TABLE api_key_secret ENABLE ALWAYS TRIGGER api_key_secret_retired',
  'ALTER TABLE dead_hash ENABLE ALWAYS TRIGGER dead_hash_removed',
];

for (const [kind, attacks] of Object.entries(tampering)) {
  for (const [name, statements] of Object.entries(attacks)) {
    test(`${kind}: a revoke fails when the database ${name}`, async (t) => {
      const { database, run, revoke, isRevoked } = await setUp(t, kind === 'sqlite' ? kind : 'postgres');
      const propagation = propagationOf(database);
      const attempt = async (descendants: boolean, workspaceId = revoke.workspaceId) => {
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
      assert.equal(await isRevoked(), false, 'nothing is written partially');
      await fails(true);
      if (kind === 'sqlite') return;
      for (const repair of repairs) await run(repair);
      await attempt(false);
      assert.equal(await isRevoked(), true);
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
      const { database, id, run, addSecret } = await setUp(t, kind === 'sqlite' ? kind : 'postgres');
      await addSecret(2);
      const secrets = database.kysely.selectFrom('api_key_secret').where('key_id', '=', id);
      const [older] = await secrets.selectAll().orderBy('created_at').execute();
      const request = { workspaceId: id, keyId: id, secretId: older?.id ?? '', now: 3 };
      const attempt = () =>
        propagationOf(database).commit(async (db) => {
          const { changed } = await writeRetirement(db, request);
          return { value: undefined, changed };
        });
      const retired = async () => {
        const rows = await secrets.select('retired_at').orderBy('created_at').execute();
        return rows.map((row) => row.retired_at);
      };
      for (const statement of statements) await run(statement);
      await assert.rejects(
        attempt(),
        (error) => error instanceof RequestError && error.problem.code === 'internal_error',
      );
      assert.deepEqual(await retired(), [null, null], 'nothing is written partially');
      if (kind === 'sqlite') return;
      for (const repair of repairs) await run(repair);
      await attempt();
      assert.deepEqual(await retired(), [3, null]);
    });
  }
}
