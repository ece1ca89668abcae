import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openTemporarySqlite } from '../../../../test/support/temporary-sqlite.ts';
import { DatabaseUnavailable, StorageUnavailable } from './unavailable.ts';

const { database, close } = await openTemporarySqlite();
after(close);

const isFull = (error: unknown) =>
  error instanceof StorageUnavailable && error.problem === 'full' && error.rolledBack;

/** SQLite's own size limit fails with SQLITE_FULL, like a full disk. */
async function limitPages(most: number): Promise<void> {
  await database.transact(
    (connection) => connection.exec(`PRAGMA max_page_count = ${most}`),
    () => undefined,
  );
}

/** More than one page. */
const large = (id: string) => ({ id, name: 'x'.repeat(20_000), created_at: 0 });

test('every way of writing reports a full disk, even when SQLite has rolled back on its own', async () => {
  await limitPages(1);
  const { kysely } = database;
  const insert = kysely.insertInto('workspace').values(large('ws_a'));
  await assert.rejects(insert.execute(), isFull);
  // A rollback after SQLite's own fails with "cannot rollback - no transaction is active".
  const inTransaction = kysely.transaction().execute(async (db) => {
    await db.insertInto('workspace').values(large('ws_b')).execute();
  });
  await assert.rejects(inTransaction, isFull);
  const synchronous = database.transact(
    (connection) =>
      connection.exec("INSERT INTO workspace (id, name, created_at) VALUES ('ws_c', zeroblob(20000), 0)"),
    () => undefined,
  );
  await assert.rejects(synchronous, isFull);
});

test('after a failed write the database is not ready, until a write has succeeded', async () => {
  await assert.rejects(database.ping(), isFull);
  await limitPages(1_000_000);
  for (;;) {
    try {
      await database.ping();
      break;
    } catch (error) {
      assert.ok(isFull(error));
    }
  }
  await database.kysely.insertInto('workspace').values(large('ws_d')).execute();
});

test('a bug in a statement is not reported as a storage fault', async () => {
  const twice = database.kysely.insertInto('workspace').values(large('ws_d')).execute();
  await assert.rejects(twice, (error) => !(error instanceof DatabaseUnavailable));
  await database.ping();
});
