import type pg from 'pg';
import type { Logger } from 'pino';
import type { PostgresDatabase } from '../database/postgres.ts';

/**
 * Opens PostgreSQL without waiting for it to start, so that an operator learns at once that it is not available.
 *
 * @param bounds replace the default timeouts, in ms
 */
export async function openPostgresWithoutRetry(
  url: string,
  log: Logger,
  bounds: pg.ClientConfig = {},
): Promise<PostgresDatabase> {
  // Loaded only when needed, because most deployments use a file.
  const { openPostgres } = await import('../database/postgres.ts');
  return openPostgres(url, log, { timeoutMs: 0, pauseMs: 0 }, bounds);
}
