import type { Logger } from 'pino';
import type { DataDirectory } from './data-directory.ts';
import type { PostgresDatabase } from './postgres.ts';
import { openSqlite, type SqliteDatabase } from './sqlite.ts';

/** What everything is kept in. Most code asks `kysely` alone, and does not know which of the two it is. */
export type Database = SqliteDatabase | PostgresDatabase;

/**
 * Opens the database, checked and migrated: PostgreSQL when an address is given, else the file.
 *
 * @param url DATABASE_URL
 * @throws {StartupError} when it cannot be used; then nothing was changed
 */
export async function openDatabase(
  directory: DataDirectory,
  url: string | undefined,
  log: Logger,
): Promise<Database> {
  if (url === undefined) return openSqlite(directory);
  // Loaded when it is wanted: most deployments have a file, and need no driver.
  const { openPostgres } = await import('./postgres.ts');
  return openPostgres(url, log);
}
