/** The expected schema is the one that the migrations create. A database with a different one is rejected. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import pg from 'pg';
import { startPostgres } from '../../../../test/support/postgres.ts';
import { createTemporaryDatabase } from '../../../../test/support/postgres-database.ts';
import { postgresSnapshot, readSnapshot, sqliteSnapshot } from '../../../../test/support/schema.ts';
import { openTemporarySqlite } from '../../../../test/support/temporary-sqlite.ts';
import { createLog } from '../http/logging.ts';
import { StartupError } from '../startup-error.ts';
import { openPostgres } from './postgres.ts';
import { checkPostgresSchema } from './postgres-schema.ts';
import { updateCommand } from './schema-objects.ts';
import { openSqlite } from './sqlite.ts';

const outdated = `expected/ is not what the migrations create; run ${updateCommand}`;

test('the expected schema is what the migrations create', async () => {
  assert.deepEqual(readSnapshot('sqlite'), await sqliteSnapshot(), outdated);
  assert.deepEqual(readSnapshot('postgres'), await postgresSnapshot(), outdated);
});

function is(problem: string) {
  return (error: unknown) => {
    assert.ok(error instanceof StartupError && error.exitCode === 65, String(error));
    assert.ok(error.message.includes(`changed schema: ${problem}. `), `${problem}: ${error.message}`);
    return true;
  };
}

const changedTrigger = `CREATE TRIGGER api_key_dead BEFORE UPDATE ON api_key WHEN 0 BEGIN SELECT 1; END`;

/** Changes to the file, by the message of the start. */
const onSqlite: Record<string, string> = {
  'trigger api_key_dead is missing': 'DROP TRIGGER api_key_dead',
  'trigger api_key_dead was changed': `DROP TRIGGER api_key_dead; ${changedTrigger}`,
  'trigger undo is not part of Soku': `CREATE TRIGGER undo AFTER UPDATE ON "API_KEY"
     BEGIN UPDATE api_key SET revoked_at = NULL WHERE id = NEW.id; END`,
  'unique index few is not part of Soku': 'CREATE UNIQUE INDEX few ON dead_hash (length(hash))',
  'table workspace was changed': 'ALTER TABLE workspace ADD COLUMN other TEXT',
  'table rate_window is missing':
    'ALTER TABLE rate_window RENAME TO w; CREATE VIEW rate_window AS SELECT * FROM w',
  'trigger hidden is not part of Soku': `PRAGMA writable_schema = ON; INSERT INTO sqlite_schema
     VALUES ('trigger', 'hidden', 'api_key', 0, 'create trigger hidden after update on api_key begin select 1; end')`,
};

for (const [problem, change] of Object.entries(onSqlite)) {
  test(`SQLite: ${problem}`, async (t) => {
    const { directory, database } = await openTemporarySqlite();
    t.after(() => rmSync(directory.path, { recursive: true }));
    await database.close();
    const tool = new DatabaseSync(directory.databaseFile, { defensive: false });
    tool.exec(change);
    tool.close();
    await assert.rejects(openSqlite(directory), is(problem));
  });
}

test('SQLite: unrelated objects of an operator are allowed', async (t) => {
  const { directory, database } = await openTemporarySqlite();
  t.after(() => rmSync(directory.path, { recursive: true }));
  await database.close();
  const tool = new DatabaseSync(directory.databaseFile);
  tool.exec(`
    CREATE INDEX by_name ON api_key (name);
    CREATE VIEW names AS SELECT name FROM api_key;
    CREATE TABLE other (id INTEGER PRIMARY KEY);
    CREATE TRIGGER other_trigger AFTER INSERT ON other BEGIN DELETE FROM other; END;
    ANALYZE`);
  tool.close();
  await (await openSqlite(directory)).close();
});

/** Each change is undone afterwards. */
const onPostgres: Record<string, string> = {
  'trigger api_key.api_key_dead is missing': 'DROP TRIGGER api_key_dead ON api_key',
  'trigger api_key.api_key_kept was changed': 'ALTER TABLE api_key DISABLE TRIGGER api_key_kept',
  'trigger dead_hash.dead_hash_removed was changed': 'ALTER TABLE dead_hash ENABLE TRIGGER dead_hash_removed',
  'function soku_bury() was changed': `CREATE OR REPLACE FUNCTION soku_bury() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN RETURN NULL; END $$`,
  'function soku_publish(kind text, subject character varying, hash bytea) is not part of Soku': `
     CREATE FUNCTION soku_publish(kind text, subject varchar, hash bytea) RETURNS void LANGUAGE sql AS ''`,
  'trigger api_key.zzz is not part of Soku': `
     CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.revoked_at := NULL; RETURN NEW; END $$;
     CREATE TRIGGER zzz BEFORE UPDATE ON api_key FOR EACH ROW EXECUTE FUNCTION undo()`,
  'trigger api_key.api_key_published was changed': `DROP TRIGGER api_key_published ON api_key;
     CREATE CONSTRAINT TRIGGER api_key_published AFTER UPDATE ON api_key
       FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION soku_collect_keys();
     ALTER TABLE api_key ENABLE ALWAYS TRIGGER api_key_published`,
  'rule dead_hash.nothing is not part of Soku':
    'CREATE RULE nothing AS ON INSERT TO dead_hash DO INSTEAD NOTHING',
  'table api_key was changed': 'ALTER TABLE api_key ENABLE ROW LEVEL SECURITY',
  'policy api_key.few is not part of Soku': 'CREATE POLICY few ON api_key USING (revoked_at IS NULL)',
  'table dead_hash was changed': 'CREATE TABLE child () INHERITS (dead_hash)',
  'table rate_window was changed': 'ALTER TABLE rate_window SET UNLOGGED',
  'column rate_window.minute was changed': 'ALTER TABLE rate_window ALTER COLUMN minute TYPE numeric',
  'constraint api_key.api_key_rate_limit_check is missing':
    'ALTER TABLE api_key DROP CONSTRAINT api_key_rate_limit_check',
  'unique index few is not part of Soku': 'CREATE UNIQUE INDEX few ON dead_hash (length(hash))',
  'switched-off foreign key workspace_member.workspace_member_user_id_fkey is not part of Soku':
    'ALTER TABLE workspace_member DISABLE TRIGGER ALL',
};

test('PostgreSQL: each change of Soku’s objects is named', async (t) => {
  const server = process.env.SOKU_TEST_POSTGRES_URL ?? (await startPostgres()).url();
  const { url, drop } = await createTemporaryDatabase(server);
  await (await openPostgres(url, await createLog('silent', false))).close();
  // As a superuser, who can do more than the owner of the tables.
  const superuser = new URL(server);
  superuser.pathname = new URL(url).pathname;
  const client = new pg.Client(superuser.href);
  await client.connect();
  t.after(async () => {
    await client.end();
    await drop();
  });
  await checkPostgresSchema(client);
  for (const [problem, change] of Object.entries(onPostgres)) {
    await client.query(`BEGIN; ${change}`);
    await assert.rejects(checkPostgresSchema(client), is(problem));
    await client.query('ROLLBACK');
  }
  await client.query(`
    CREATE INDEX by_name ON api_key (name);
    CREATE TABLE other (id int PRIMARY KEY);
    CREATE RULE other_rule AS ON INSERT TO other DO INSTEAD NOTHING;
    CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.api_key (id int)`);
  await checkPostgresSchema(client);
});
