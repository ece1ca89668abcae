import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { openTemporarySqlite } from '../../../../test/support/temporary-sqlite.ts';
import { StorageUnavailable } from './unavailable.ts';

const { directory, database, close } = await openTemporarySqlite();
after(close);

const nothing = () => undefined;

/** Adds a workspace on the writing connection, and then throws if requested. */
async function addWorkspace(id: string, thrown?: Error): Promise<void> {
  await database.transact((connection) => {
    connection.prepare('INSERT INTO workspace (id, name, created_at) VALUES (?, ?, ?)').run(id, id, 0);
    if (thrown !== undefined) throw thrown;
  }, nothing);
}

function workspaces(): unknown[] {
  return database.reader
    .prepare('SELECT id FROM workspace ORDER BY id')
    .all()
    .map((row) => row.id);
}

test('the writing connection has every setting on which revocation depends', async () => {
  const settings = await database.transact(
    (connection) =>
      ['journal_mode', 'synchronous', 'foreign_keys', 'recursive_triggers'].map(
        (name) => connection.prepare(`PRAGMA ${name}`).get()?.[name],
      ),
    nothing,
  );
  // 2 is FULL.
  assert.deepEqual(settings, ['wal', 2, 1, 1]);
});

test('work that throws is rolled back and leaves no transaction open', async () => {
  const thrown = new Error('in the middle');
  await assert.rejects(addWorkspace('ws_lost', thrown), (error) => error === thrown);
  assert.deepEqual(workspaces(), []);
  await addWorkspace('ws_kept');
  assert.deepEqual(workspaces(), ['ws_kept']);
});

test('only a transaction without a lock timeout does not wait for another program', async () => {
  const waits = (connection: DatabaseSync) => connection.prepare('PRAGMA busy_timeout').get()?.timeout;
  assert.equal(await database.transact(waits, nothing), 1000);
  assert.equal(await database.transact(waits, nothing, { lockTimeoutMs: 0 }), 0);
  const other = new DatabaseSync(directory.databaseFile);
  other.exec('BEGIN IMMEDIATE');
  await assert.rejects(database.transact(nothing, nothing, { lockTimeoutMs: 0 }), /locked/);
  other.close();
  assert.equal(await database.transact(waits, nothing), 1000);
});

test('only a non-durable transaction does not wait for the disk, and later ones do again', async () => {
  const synchronous = (connection: DatabaseSync) =>
    connection.prepare('PRAGMA synchronous').get()?.synchronous;
  const thrown = () => {
    throw new Error('in the middle');
  };
  // 1 is NORMAL, 2 is FULL.
  assert.equal(await database.transact(synchronous, nothing, { durable: false }), 1);
  assert.equal(await database.transact(synchronous, nothing), 2);
  await assert.rejects(database.transact(thrown, nothing, { durable: false }), /in the middle/);
  assert.equal(await database.transact(synchronous, nothing), 2);
});

test('the commit callback runs after the commit, and not after a rollback', async () => {
  const calls: unknown[] = [];
  const add = (id: string) =>
    database.transact(
      (connection) => {
        connection.prepare('INSERT INTO workspace (id, name, created_at) VALUES (?, ?, ?)').run(id, id, 0);
        return id;
      },
      (id) => calls.push(id, workspaces().includes(id)),
    );
  await add('ws_committed');
  await assert.rejects(add('ws_committed'), /UNIQUE/);
  assert.deepEqual(calls, ['ws_committed', true]);
});

test('a commit is not acknowledged if its file was removed during the transaction', async (t) => {
  const own = await openTemporarySqlite();
  t.after(own.close);
  const { databaseFile } = own.directory;
  const remove = () => renameSync(databaseFile, `${databaseFile}.away`);
  const workspace = { id: 'ws_1', name: '', created_at: 0 };
  const writes = [
    () =>
      own.database.transact((connection) => {
        connection.exec("INSERT INTO workspace (id, name, created_at) VALUES ('ws_0', '', 0)");
        remove();
      }, nothing),
    () =>
      own.database.kysely.transaction().execute(async (transaction) => {
        await transaction.insertInto('workspace').values(workspace).execute();
        remove();
      }),
  ];
  for (const write of writes) {
    await assert.rejects(
      write(),
      (error) => error instanceof StorageUnavailable && error.problem === 'lost' && !error.rolledBack,
    );
    renameSync(`${databaseFile}.away`, databaseFile);
  }
});

test('the reader cannot write', () => {
  const before = workspaces();
  const writes = [
    "INSERT INTO workspace (id, name, created_at) VALUES ('ws_x', 'x', 0)",
    'DELETE FROM workspace',
    'DROP TRIGGER dead_hash_removed',
  ];
  for (const sql of writes) assert.throws(() => database.reader.exec(sql), /readonly/, sql);
  assert.deepEqual(workspaces(), before);
});
