import { closeSync, existsSync, lstatSync, openSync, readSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { StartupError } from '../startup-error.ts';
import type { DataDirectory } from './data-directory.ts';
import { migrations } from './migrate.ts';
import { isBusy, isCorruption } from './sqlite-errors.ts';
import { checkSqliteSchema } from './sqlite-schema.ts';

/** Maximum size in bytes of files that are checked page by page at each start, which takes up to about 0.1 s. */
const wholeCheckLimit = 32 * 1024 * 1024;

/**
 * Checks an existing database before anything writes to it, so that an unusable one stays unchanged.
 *
 * @returns the names of its applied migrations; empty when the file does not exist yet
 * @throws {StartupError} 65 when the file is damaged, is not a Soku database, was written by a newer version, or has a
 *   schema that differs from that of its version
 */
export function checkDatabaseFile({ databaseFile: file, secretFile }: DataDirectory): string[] {
  if (!existsSync(file)) return [];
  if (!statSync(file).isFile()) throw damaged(file, 'it is not a file');
  refuseLink(file);
  if (statSync(file).size === 0) {
    // A start that was killed leaves an empty file. But the secret is created after the database.
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
      // An older schema is checked after its migration.
      if (applied.length === Object.keys(migrations).length) checkSqliteSchema(database, file);
      return applied;
    } finally {
      database.close();
    }
  } catch (error) {
    if (isCorruption(error)) throw damaged(file, 'SQLite reports corruption');
    if (isBusy(error)) throw databaseLocked(file);
    throw error;
  }
}

/** The lock does not cover a second name of the file, through which another process could open it. */
function refuseLink(file: string): void {
  const entry = lstatSync(file);
  if (!entry.isSymbolicLink() && entry.nlink === 1) return;
  throw new StartupError(
    'cannotCreate',
    `The database ${file} is a link, or has another name elsewhere. Set SOKU_DATA_DIR to the directory of the file itself, because the lock that keeps out a second process is next to it.`,
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
    throw damaged(file, 'its header is not a SQLite header');
}

/**
 * Opens a file with an empty log as immutable, because otherwise even reading it would create the log files again.
 * Meanwhile the lock of the data directory keeps other processes away.
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

/** A truncated file opens without an error and fails only when a lost page is read. */
function checkLength(file: string, database: DatabaseSync): void {
  if (hasLog(file)) return;
  const pages = Number(database.prepare('PRAGMA page_count').get()?.page_count);
  const pageSize = Number(database.prepare('PRAGMA page_size').get()?.page_size);
  const size = statSync(file).size;
  if (size < pages * pageSize) throw damaged(file, `it has ${size} bytes of ${pages * pageSize}`);
}

function checkPages(file: string, database: DatabaseSync): void {
  if (statSync(file).size > wholeCheckLimit) return;
  const result = database.prepare('PRAGMA quick_check(1)').get()?.quick_check;
  if (result !== 'ok') throw damaged(file, String(result));
}

function appliedMigrations(file: string, database: DatabaseSync): string[] {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  if (tables.length === 0) return [];
  if (!tables.some((table) => table.name === 'kysely_migration')) {
    throw new StartupError(
      'data',
      `${file} is a database of another program. Set SOKU_DATA_DIR to another directory.`,
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

/** The error of a start while another program, such as a tool of the operator, locks the file. */
export function databaseLocked(file: string): StartupError {
  return new StartupError(
    'unavailable',
    `The database ${file} is locked by another program. Stop that program first.`,
  );
}

function damaged(file: string, how: string): StartupError {
  return new StartupError(
    'data',
    `The database ${file} is damaged: ${how.split('\n').join(' ')}. Nothing was changed. Restore a backup, or move the file away to start empty.`,
  );
}
