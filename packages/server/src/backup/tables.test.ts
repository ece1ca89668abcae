import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTemporarySqlite } from '../../../../test/support/temporary-sqlite.ts';
import { backupTables, databaseTables } from './tables.ts';

test('a copy includes every table except the log and the history of usage, with its primary key', async () => {
  const { database, close } = await openTemporarySqlite();
  try {
    const rows = database.reader
      .prepare(
        `SELECT t.name AS name, group_concat(c.name ORDER BY c.pk) AS key
         FROM sqlite_schema t, pragma_table_info(t.name) c
         WHERE t.type = 'table' AND t.name NOT LIKE 'kysely_%' AND c.pk > 0 GROUP BY t.name`,
      )
      .all();
    const {
      usage_log: _log,
      usage_flush: _flush,
      usage_history: _history,
      ...found
    } = Object.fromEntries(rows.map(({ name, key }) => [String(name), String(key).split(',')]));
    assert.deepEqual(found, databaseTables);
    const { session, verification, ...others } = found;
    assert.deepEqual(others, backupTables, 'a backup contains no sessions');
  } finally {
    await close();
  }
});
