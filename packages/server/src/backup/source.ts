import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { migrations } from '../database/migrate.ts';
import { isDamage } from '../database/sqlite-errors.ts';
import { StartupError } from '../startup-error.ts';
import type { Side } from './side.ts';
import { columnsOf, sqliteSide } from './sqlite-side.ts';

/** One state of a database, held until the end; others write on meanwhile, and it does not hold them up. */
export interface Source {
  side: Side;
  /** The name of its newest migration. */
  level: string;
  close(): Promise<void>;
}

/**
 * Opens the database for reading. A server may have it in use: neither the lock of the data directory is taken, nor is
 * anything migrated.
 *
 * @throws {StartupError} when there is none, or it cannot be read
 */
export async function openSource(
  config: Pick<Config, 'databaseUrl'>,
  databaseFile: string,
  log: Logger,
): Promise<Source> {
  if (config.databaseUrl === undefined) return openFile(databaseFile);
  const { openPostgresSource } = await import('./postgres-source.ts');
  return openPostgresSource(config.databaseUrl, log);
}

/** @throws {StartupError} 65 when it is no database of this or an older version */
export function openFile(file: string): Source {
  const database = openForReading(file);
  try {
    return sourceOf(database, file);
  } catch (error) {
    database.close();
    if (!isDamage(error)) throw error;
    throw new StartupError('data', `${file} is damaged, or no database.`);
  }
}

/**
 * Opens a file that anybody may have made: nothing of its schema runs but what is harmless (SQLite's advice for such
 * files, https://www.sqlite.org/security.html).
 *
 * @throws {StartupError} 65 when there is none
 */
export function openForReading(file: string): DatabaseSync {
  if (!existsSync(file)) throw new StartupError('data', `There is no file ${file}.`);
  const database = new DatabaseSync(file, { readOnly: true, defensive: true, timeout: 5000 });
  database.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON');
  return database;
}

/** @throws {StartupError} 65 when it is no database of this or an older version */
export function sourceOf(database: DatabaseSync, file: string): Source {
  database.exec('BEGIN');
  const isMigrated = columnsOf(database, file, 'kysely_migration').length > 0;
  const applied = isMigrated ? database.prepare('SELECT name FROM kysely_migration').all() : [];
  return {
    side: sqliteSide(database, file),
    level: levelOf(
      applied.map((row) => String(row.name)),
      file,
    ),
    close: async () => database.close(),
  };
}

/**
 * @param applied names of migrations
 * @throws {StartupError} 65 when there are none, or one that this version does not have
 */
export function levelOf(applied: string[], what: string): string {
  const newer = applied.find((name) => !(name in migrations));
  if (newer !== undefined) {
    throw new StartupError(
      'data',
      `${what} was written by a newer version of Soku (it has ${newer}). Nothing was changed. Use that version.`,
    );
  }
  const level = applied.sort().at(-1);
  if (level === undefined) throw new StartupError('data', `${what} is no database of Soku.`);
  return level;
}
