/** Counts of the previous schema stay valid, for nodes of the previous version and for those that take grants. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Migrator, sql } from 'kysely';
import { openEmptyDatabase } from '../../../../../test/support/empty-database.ts';
import { bothDatabases } from '../../../../../test/support/open-database.ts';
import { migrations } from '../migrate.ts';

for (const which of bothDatabases) {
  test(`limits of the previous schema continue, on ${which}`, async (t) => {
    const db = await openEmptyDatabase(which, t);
    const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
    assert.equal((await migrator.migrateTo('0011-secret-lifecycle')).error, undefined);
    const minute = 29_500_000;
    const counted = { key_id: 'key', minute, current: 6, previous: 2 };
    await db.insertInto('rate_window').values(counted).execute();

    assert.equal((await migrator.migrateTo('0012-grants')).error, undefined);

    const rows = await db.selectFrom('rate_window').selectAll().execute();
    assert.deepEqual(
      rows.map(({ key_id, ...numbers }) => ({
        key_id,
        minute: Number(numbers.minute),
        current: Number(numbers.current),
        previous: Number(numbers.previous),
      })),
      [counted],
    );
    if (which === 'sqlite') return;
    // In the middle of the minute 10 - 6 - 1 requests are free, and a node takes half of them.
    const now = minute * 60_000 + 30_000;
    const granted = async (text: ReturnType<typeof sql<{ granted: number }>>) =>
      Number((await text.execute(db)).rows[0]?.granted);
    const take = () =>
      granted(
        sql`SELECT granted FROM soku_take_grants(${now}, '{key}', '{10}', '{true}', '{0}', '{0}', NULL, NULL)`,
      );
    const report = (wanted: number) =>
      granted(
        sql`SELECT granted FROM soku_tell_windows(${now}, '{key}', '{0}', '{0}', '{0}', ARRAY[${wanted}::bigint], '{10}')`,
      );
    assert.deepEqual([await take(), await report(1), await report(5), await take()], [1, 1, 1, 0]);
  });
}
