import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openTemporary } from '../../../../test/support/temporary-sqlite.ts';
import { DatabaseUnavailable, StorageUnavailable } from './unavailable.ts';

const { database, close } = await openTemporary();
after(close);

const isFull = (error: unknown) =>
  error instanceof StorageUnavailable && error.problem === 'full' && error.rolledBack;

/** SQLite's own limit is refused with SQLITE_FULL, just as a full disk is. */
async function limitPages(most: number): Promise<void> {
  await database.transact(
    (connection) => connection.exec(`PRAGMA max_page_count = ${most}`),
    () => undefined,
  );
}

/** More than fits into a page. */
const large = (id: string) => ({ id, name: 'x'.repeat(20_000), created_at: 0 });

test('a full disk is called that by every way of writing, also where SQLite has rolled back by itself', async () => {
  await limitPages(1);
  const { kysely } = database;
  const insert = kysely.insertInto('workspace').values(large('ws_a'));
  await assert.rejects(insert.execute(), isFull);
  // A rollback that SQLite has carried out already fails with "cannot rollback - no transaction is active".
  const inTransaction = kysely.transaction().execute(async (db) => {
    await db.insertInto('workspace').values(large('ws_b')).execute();
  });
  await assert.rejects(inTransaction, isFull);
  const synchronous = database.transact(
    (connection) => connection.exec("INSERT INTO workspace VALUES ('ws_c', zeroblob(20000), 0, NULL)"),
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

test('a mistake of ours is no fault of the storage', async () => {
  const twice = database.kysely.insertInto('workspace').values(large('ws_d')).execute();
  await assert.rejects(twice, (error) => !(error instanceof DatabaseUnavailable));
  await database.ping();
});
