import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { migrations } from '../database/migrate.ts';
import { isCorruption } from '../database/sqlite-errors.ts';
import { StartupError } from '../startup-error.ts';
import type { CopyEndpoint } from './endpoint.ts';
import { sqliteEndpoint, tableColumns } from './sqlite-endpoint.ts';

/** A snapshot of a database, held until it is closed. It does not block concurrent writers. */
export interface Source {
  endpoint: CopyEndpoint;
  /** The name of the newest migration that was applied. */
  level: string;
  close(): Promise<void>;
}

/**
 * Opens the database for reading. A server may be using it, so this neither locks the data directory nor migrates
 * anything.
 *
 * @throws {StartupError} if there is no database, or it cannot be read
 */
export async function openSource(
  config: Pick<Config, 'databaseUrl'>,
  databaseFile: string,
  log: Logger,
): Promise<Source> {
  if (config.databaseUrl === undefined) return openSqliteSource(databaseFile);
  const { openPostgresSource } = await import('./postgres-source.ts');
  return openPostgresSource(config.databaseUrl, log);
}

/** @throws {StartupError} 65 if the file is not a database of this or an older version */
export function openSqliteSource(file: string): Source {
  const database = openUntrustedSqlite(file);
  try {
    return toSource(database, file);
  } catch (error) {
    database.close();
    if (!isCorruption(error)) throw error;
    throw new StartupError('data', `${file} is damaged or not a database.`);
  }
}

/**
 * Opens an untrusted file. Its schema can run only harmless functions (SQLite's advice for such files,
 * https://www.sqlite.org/security.html).
 *
 * @throws {StartupError} 65 if the file does not exist
 */
export function openUntrustedSqlite(file: string): DatabaseSync {
  if (!existsSync(file)) throw new StartupError('data', `${file} does not exist.`);
  const database = new DatabaseSync(file, { readOnly: true, defensive: true, timeout: 5000 });
  database.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON');
  return database;
}

/** @throws {StartupError} 65 if the file is not a database of this or an older version */
export function toSource(database: DatabaseSync, file: string): Source {
  database.exec('BEGIN');
  const isMigrated = tableColumns(database, file, 'kysely_migration').length > 0;
  const applied = isMigrated ? database.prepare('SELECT name FROM kysely_migration').all() : [];
  return {
    endpoint: sqliteEndpoint(database, file),
    level: schemaLevel(
      applied.map((row) => String(row.name)),
      file,
    ),
    close: async () => database.close(),
  };
}

/**
 * @param applied the names of the applied migrations
 * @throws {StartupError} 65 if there are none, or one that this version does not have
 */
export function schemaLevel(applied: string[], what: string): string {
  const newer = applied.find((name) => !(name in migrations));
  if (newer !== undefined) {
    throw new StartupError(
      'data',
      `${what} was written by a newer version of Soku (it has ${newer}). Nothing was changed. Use that version.`,
    );
  }
  const level = applied.sort().at(-1);
  if (level === undefined) throw new StartupError('data', `${what} is not a Soku database.`);
  return level;
}
