import { closeSync, openSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, Migrator } from 'kysely';
import { z } from 'zod';
import { migrations } from '../database/migrate.ts';
import { NodeSqliteDialect } from '../database/sqlite-dialect.ts';
import { isDamage } from '../database/sqlite-errors.ts';
import { placeFile } from '../durable-files.ts';
import { StartupError } from '../startup-error.ts';
import { version } from '../version.ts';
import { type Content, contentOf, contentSchema, copy, difference, type Progress } from './copy.ts';
import { openForReading, type Source, sourceOf } from './source.ts';
import { columnsOf, sqliteSide } from './sqlite-side.ts';
import { backupTables, type TableKeys } from './tables.ts';

/** The table of one row that tells a backup from a database in use, and what is in it. */
const label = `CREATE TABLE soku_backup (made_at TEXT NOT NULL, soku TEXT NOT NULL, content TEXT NOT NULL)`;
const labelSchema = z.object({
  made_at: z.string(),
  soku: z.string(),
  content: z.string().transform((text) => contentSchema.parse(JSON.parse(text))),
});
export type Label = z.infer<typeof labelSchema>;

/** Removes a database with all that SQLite may have laid beside it. */
export function removeDatabase(file: string): void {
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${file}${end}`, { force: true });
}

/**
 * Writes a backup under a name that nobody takes for one, and checks it: SQLite's own check, the foreign keys, and all
 * rows against what was read.
 *
 * @param file does not exist yet
 * @param copied the tables whose rows are written
 * @throws when it cannot be written, or is not what was read; then there is no file
 */
export async function writeBackup(
  source: Source,
  file: string,
  progress: Progress,
  copied: TableKeys = backupTables,
): Promise<Label> {
  closeSync(openSync(file, 'wx', 0o600));
  try {
    const database = new DatabaseSync(file);
    try {
      // Until the name is the right one nobody misses the file, so it needs neither a log nor a wait for each page.
      database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON');
      // 64 MB: an index whose order is not that of the rows touches another page with each of them.
      database.exec('PRAGMA cache_size = -65536');
      await migrateTo(database, source.level);
      database.exec('BEGIN');
      const content = await copy(source.side, sqliteSide(database, file), copied, progress);
      const written = { made_at: new Date().toISOString(), soku: version, content };
      database.exec(label);
      database
        .prepare('INSERT INTO soku_backup VALUES (?, ?, ?)')
        .run(written.made_at, written.soku, JSON.stringify(content));
      database.exec('COMMIT');
      requireIntegrity(database, file);
      requireSame(file, content, await contentOf(sqliteSide(database, file), copied));
      return written;
    } finally {
      database.close();
    }
  } catch (error) {
    removeDatabase(file);
    throw error;
  }
}

/** A backup that is read: its rows, and what it says of itself. */
interface Backup {
  source: Source;
  label: Label;
}

/**
 * Opens a backup, whose rows are still to be compared with its label.
 *
 * @throws {StartupError} 65 when it is damaged or no backup
 */
export function openBackup(file: string): Backup {
  const database = openForReading(file);
  try {
    const label = labelOf(database, file);
    requireIntegrity(database, file);
    return { source: sourceOf(database, file), label };
  } catch (error) {
    database.close();
    throw isDamage(error) ? new StartupError('data', `${file} is damaged, or no backup.`) : error;
  }
}

function labelOf(database: DatabaseSync, file: string): Label {
  if (columnsOf(database, file, 'soku_backup').length === 0) {
    throw new StartupError('data', `${file} is no backup of Soku.`);
  }
  const parsed = labelSchema.safeParse(database.prepare('SELECT * FROM soku_backup').get());
  if (!parsed.success) throw new StartupError('data', `${file} is damaged: its label cannot be read.`);
  return parsed.data;
}

/** @throws {StartupError} 65 with the first table in which two contents differ */
export function requireSame(file: string, one: Content, other: Content): void {
  const table = difference(one, other);
  if (table !== undefined) throw new StartupError('data', `${file} is damaged (${table}).`);
}

function requireIntegrity(database: DatabaseSync, file: string): void {
  const result = String(database.prepare('PRAGMA integrity_check(1)').get()?.integrity_check);
  if (result !== 'ok')
    throw new StartupError('data', `${file} is damaged (${result.split('\n').join(' ')}).`);
}

/**
 * Brings a file that nobody misses to a schema. It is thrown away when this fails, so there are no transactions, whose
 * rollback on a full disk fails, too, and would hide why.
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
 * Gives a whole file its name, on the disk, too.
 *
 * @throws {StartupError} 73 when there is a file of that name, also one that came just now
 */
export function place(partial: string, file: string): void {
  if (!placeFile(partial, file)) throw new StartupError('cannotCreate', `${file} exists already.`);
}
