import type { Logger } from 'pino';
import type { PostgresDatabase } from '../database/postgres.ts';

/** Opens PostgreSQL without waiting for it to start: an operator wants to know now that it does not answer. */
export async function openPostgresNow(url: string, log: Logger): Promise<PostgresDatabase> {
  // Loaded when it is wanted, because most deployments have a file.
  const { openPostgres } = await import('../database/postgres.ts');
  return openPostgres(url, log, { patience: 0, pause: 0 });
}
