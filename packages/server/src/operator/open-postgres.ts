import type { Logger } from 'pino';
import type { PostgresDatabase } from '../database/postgres.ts';

/** Opens PostgreSQL without waiting for it to start, so that an operator learns at once that it is not available. */
export async function openPostgresWithoutRetry(url: string, log: Logger): Promise<PostgresDatabase> {
  // Loaded only when needed, because most deployments use a file.
  const { openPostgres } = await import('../database/postgres.ts');
  return openPostgres(url, log, { patience: 0, pause: 0 });
}
