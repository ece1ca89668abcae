import { closeSync, existsSync, lstatSync, openSync, readSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { StartupError } from '../startup-error.ts';
import type { DataDirectory } from './data-directory.ts';
import { migrations } from './migrate.ts';
import { isBusy, isDamage } from './sqlite-errors.ts';
import { checkSqliteSchema } from './sqlite-schema.ts';

/** Files up to this size (bytes) are checked page by page at each start; that takes about 0.1 s at most. */
const wholeCheckLimit = 32 * 1024 * 1024;

/**
 * Looks at an existing database before anything writes to it, so that a wrong one is refused untouched.
 *
 * @returns the names of the migrations that it has seen; empty for a file that does not exist yet
 * @throws {StartupError} 65 when the file is damaged, is no Soku database, was written by a newer version, or has
 *   another schema than its version creates
 */
export function checkDatabaseFile({ databaseFile: file, secretFile }: DataDirectory): string[] {
  if (!existsSync(file)) return [];
  if (!statSync(file).isFile()) throw damaged(file, 'it is no file');
  refuseLink(file);
  if (statSync(file).size === 0) {
    // A start that was killed leaves an empty file; but the secret is made after the database.
    if (existsSync(secretFile)) throw damaged(file, 'it is empty');
    return [];
  }
  checkHeader(file);
  try {
    const database = openToCheck(file);
    try {
      checkLength(file, database);
      const applied = appliedMigrations(file, database);
      checkPages(file, database);
      // An older one is checked once it is migrated.
      if (applied.length === Object.keys(migrations).length) checkSqliteSchema(database, file);
      return applied;
    } finally {
      database.close();
    }
  } catch (error) {
    if (isDamage(error)) throw damaged(file, 'SQLite finds it corrupt');
    if (isBusy(error)) throw locked(file);
    throw error;
  }
}

/** A second name of the file lies outside the lock of this directory: two processes could open it by two names. */
function refuseLink(file: string): void {
  const entry = lstatSync(file);
  if (!entry.isSymbolicLink() && entry.nlink === 1) return;
  throw new StartupError(
    'cannotCreate',
    `The database ${file} is a link, or has another name elsewhere. Set SOKU_DATA_DIR to the directory that really holds it, because the lock that keeps a second process away lies beside it.`,
  );
}

function checkHeader(file: string): void {
  const header = Buffer.alloc(16);
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, header, 0, 16, 0);
  } finally {
    closeSync(descriptor);
  }
  if (header.toString('latin1') !== 'SQLite format 3\0')
    throw damaged(file, 'it does not begin as a database');
}

/**
 * With nothing in its log the file is opened as immutable: else even reading it would make the log's files anew.
 * The lock of the data directory keeps everybody else away meanwhile.
 */
function openToCheck(file: string): DatabaseSync {
  const url = pathToFileURL(file);
  if (!hasLog(file)) url.searchParams.set('immutable', '1');
  return new DatabaseSync(url, { readOnly: true });
}

function hasLog(file: string): boolean {
  const log = `${file}-wal`;
  return existsSync(log) && statSync(log).size > 0;
}

/** A file that was cut short opens without complaint, and fails only when a lost page is read. */
function checkLength(file: string, database: DatabaseSync): void {
  if (hasLog(file)) return;
  const pages = Number(database.prepare('PRAGMA page_count').get()?.page_count);
  const pageSize = Number(database.prepare('PRAGMA page_size').get()?.page_size);
  const size = statSync(file).size;
  if (size < pages * pageSize) throw damaged(file, `it has ${size} bytes of ${pages * pageSize}`);
}

function checkPages(file: string, database: DatabaseSync): void {
  if (statSync(file).size > wholeCheckLimit) return;
  const answer = database.prepare('PRAGMA quick_check(1)').get()?.quick_check;
  if (answer !== 'ok') throw damaged(file, String(answer));
}

function appliedMigrations(file: string, database: DatabaseSync): string[] {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  if (tables.length === 0) return [];
  if (!tables.some((table) => table.name === 'kysely_migration')) {
    throw new StartupError(
      'data',
      `${file} is a database of some other program. Set SOKU_DATA_DIR elsewhere.`,
    );
  }
  const applied = database
    .prepare('SELECT name FROM kysely_migration')
    .all()
    .map((row) => String(row.name));
  const unknown = applied.filter((name) => !(name in migrations));
  if (unknown.length > 0) {
    throw new StartupError(
      'data',
      `The database ${file} was written by a newer version of Soku (it has ${unknown.join(', ')}). Start that version, or restore a backup made before the upgrade.`,
    );
  }
  return applied;
}

/** The refusal of a start while a tool of the operator holds the file. */
export function locked(file: string): StartupError {
  return new StartupError(
    'unavailable',
    `The database ${file} is locked by another program. End that one first.`,
  );
}

function damaged(file: string, how: string): StartupError {
  return new StartupError(
    'data',
    `The database ${file} is damaged: ${how.split('\n').join(' ')}. Nothing was changed. Restore a backup, or move the file away to start empty.`,
  );
}
