/** A backup lacks the indexes that a restore creates again. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openTemporarySqlite } from '../../../../test/support/temporary-sqlite.ts';
import { writeBackup } from './backup-file.ts';
import { openSqliteSource } from './source.ts';

/** The names of the indexes with their statements. */
function indexesOf(file: string): Map<string, unknown> {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const rows = database.prepare(`SELECT name, sql FROM sqlite_schema WHERE type = 'index'`).all();
    return new Map(rows.map(({ name, sql }) => [String(name), sql]));
  } finally {
    database.close();
  }
}

test('a backup has only the indexes of constraints and triggers, and a restored database has all', async () => {
  const {
    directory: { databaseFile: from },
    close,
  } = await openTemporarySqlite();
  const directory = mkdtempSync(join(tmpdir(), 'soku-indexes-'));
  try {
    const [backup, restored] = [join(directory, 'backup.db'), join(directory, 'restored.db')];
    for (const [source, file, indexed] of [
      [from, backup, false],
      [backup, restored, true],
    ] as const) {
      const opened = openSqliteSource(source);
      await writeBackup(opened, file, () => undefined, { indexed });
      await opened.close();
    }
    assert.deepEqual(indexesOf(restored), indexesOf(from));
    const plain = [...indexesOf(backup)].filter(([, sql]) => sql !== null && !/UNIQUE/i.test(String(sql)));
    assert.deepEqual(
      plain.map(([name]) => name),
      ['api_key_secret_key'],
    );
  } finally {
    rmSync(directory, { recursive: true });
    await close();
  }
});
