import type { Logger } from 'pino';
import type { DataDirectory } from './data-directory.ts';
import type { PostgresDatabase } from './postgres.ts';
import { openSqlite, type SqliteDatabase } from './sqlite.ts';

/** The database. Most code only uses `kysely` and does not depend on which of the two it is. */
export type Database = SqliteDatabase | PostgresDatabase;

/**
 * Opens, checks and migrates the database: PostgreSQL when a URL is given, otherwise the SQLite file.
 *
 * @param url DATABASE_URL
 * @throws {StartupError} when it cannot be used; nothing was changed
 */
export async function openDatabase(
  directory: DataDirectory,
  url: string | undefined,
  log: Logger,
): Promise<Database> {
  if (url === undefined) return openSqlite(directory);
  // Loaded on demand: most deployments use a file and need no driver.
  const { openPostgres } = await import('./postgres.ts');
  return openPostgres(url, log);
}
