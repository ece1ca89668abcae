import { closeSync, openSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, Migrator } from 'kysely';
import { z } from 'zod';
import { migrations } from '../database/migrate.ts';
import { NodeSqliteDialect } from '../database/sqlite-dialect.ts';
import { isCorruption } from '../database/sqlite-errors.ts';
import { renameNoReplace } from '../durable-files.ts';
import { StartupError } from '../startup-error.ts';
import { version } from '../version.ts';
import {
  copyTables,
  digestTables,
  findDifferingTable,
  type Progress,
  type TableDigests,
  tableDigestsSchema,
} from './copy.ts';
import { createIndexes, dropIndexes } from './indexes.ts';
import { openUntrustedSqlite, type Source, toSource } from './source.ts';
import { sqliteEndpoint, tableColumns } from './sqlite-endpoint.ts';
import { backupTables, type TableKeys } from './tables.ts';

/** A table with one row, which distinguishes a backup from a database in use and describes its content. */
const label = `CREATE TABLE soku_backup (made_at TEXT NOT NULL, soku TEXT NOT NULL, content TEXT NOT NULL)`;
const labelSchema = z.object({
  made_at: z.string(),
  soku: z.string(),
  content: z.string().transform((text) => tableDigestsSchema.parse(JSON.parse(text))),
});
export type BackupLabel = z.infer<typeof labelSchema>;

/** Removes a database file and the files that SQLite may have created beside it. */
export function removeDatabase(file: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${file}${suffix}`, { force: true });
}

/**
 * Writes a backup under a temporary name and verifies it: SQLite's integrity check, the foreign keys, and all rows
 * against those that were read.
 *
 * @param file must not exist yet
 * @param options.copied the tables whose rows are written
 * @param options.indexed whether the file is to become a database in use. Otherwise it lacks the indexes that only speed
 *   up reading, which are more than half of a database: a restore creates them.
 * @throws if it cannot be written or differs from what was read. The file is then removed.
 */
export async function writeBackup(
  source: Source,
  file: string,
  progress: Progress,
  { copied = backupTables, indexed }: { copied?: TableKeys; indexed: boolean },
): Promise<BackupLabel> {
  closeSync(openSync(file, 'wx', 0o600));
  try {
    // By default, node:sqlite does not allow turning the journal off.
    const database = new DatabaseSync(file, { defensive: false });
    try {
      // A crash may lose the file while it has its temporary name, so it needs neither a rollback journal nor syncs.
      database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON');
      // 64 MB, because an index that is not in the order of the rows touches a different page for each row.
      database.exec('PRAGMA cache_size = -65536');
      await migrateTo(database, source.level);
      const indexes = dropIndexes(database);
      database.exec('BEGIN');
      const content = await copyTables(source.endpoint, sqliteEndpoint(database, file), copied, progress);
      const written = { made_at: new Date().toISOString(), soku: version, content };
      database.exec(label);
      database
        .prepare('INSERT INTO soku_backup VALUES (?, ?, ?)')
        .run(written.made_at, written.soku, JSON.stringify(content));
      database.exec('COMMIT');
      if (indexed) createIndexes(database, file, indexes);
      requireIntegrity(database, file);
      requireSameContent(file, content, await digestTables(sqliteEndpoint(database, file), copied));
      return written;
    } finally {
      database.close();
    }
  } catch (error) {
    removeDatabase(file);
    throw error;
  }
}

/** An open backup: the source of its rows, and its label. */
interface Backup {
  source: Source;
  label: BackupLabel;
}

/**
 * Opens a backup. The caller must still compare its rows with its label.
 *
 * @throws {StartupError} 65 if the file is damaged or not a backup
 */
export function openBackup(file: string): Backup {
  const database = openUntrustedSqlite(file);
  try {
    const label = labelOf(database, file);
    requireIntegrity(database, file);
    return { source: toSource(database, file), label };
  } catch (error) {
    database.close();
    throw isCorruption(error) ? new StartupError('data', `${file} is damaged or not a backup.`) : error;
  }
}

function labelOf(database: DatabaseSync, file: string): BackupLabel {
  if (tableColumns(database, file, 'soku_backup').length === 0) {
    throw new StartupError('data', `${file} is not a Soku backup.`);
  }
  const parsed = labelSchema.safeParse(database.prepare('SELECT * FROM soku_backup').get());
  if (!parsed.success) throw new StartupError('data', `${file} is damaged: its label cannot be read.`);
  return parsed.data;
}

/** @throws {StartupError} 65, which names the first table in which the two contents differ */
export function requireSameContent(file: string, one: TableDigests, other: TableDigests): void {
  const table = findDifferingTable(one, other);
  if (table !== undefined) throw new StartupError('data', `${file} is damaged (${table}).`);
}

function requireIntegrity(database: DatabaseSync, file: string): void {
  const result = String(database.prepare('PRAGMA integrity_check(1)').get()?.integrity_check);
  if (result !== 'ok')
    throw new StartupError('data', `${file} is damaged (${result.split('\n').join(' ')}).`);
}

/**
 * Migrates a temporary file to a schema level. The file is discarded on failure, so this uses no transactions: on a
 * full disk, their rollback would also fail and hide the cause.
 *
 * @param level the name of a migration
 */
async function migrateTo(database: DatabaseSync, level: string): Promise<void> {
  const db = new Kysely<unknown>({ dialect: new NodeSqliteDialect(database) });
  const provider = { getMigrations: async () => migrations };
  const migrator = new Migrator({ db, provider, disableTransactions: true });
  const { error } = await migrator.migrateTo(level);
  if (error !== undefined) throw error;
}

/**
 * Gives a complete file its final name, durably.
 *
 * @throws {StartupError} 73 if a file with that name exists, even if it was created just now
 */
export function moveBackupIntoPlace(partial: string, file: string): void {
  if (!renameNoReplace(partial, file)) throw new StartupError('cannotCreate', `${file} already exists.`);
}
