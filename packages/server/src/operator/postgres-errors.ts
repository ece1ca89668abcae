import type { Config } from '../config.ts';
import { errorCodeOf } from '../error-code.ts';
import { StartupError } from '../startup-error.ts';

/** Reports errors of PostgreSQL during the work in the same way as at a start. */
export async function withPostgresErrors<T>(
  { databaseUrl }: Pick<Config, 'databaseUrl'>,
  work: Promise<T>,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (databaseUrl === undefined) throw error;
    const { explainConnectFailure } = await import('../database/postgres-failures.ts');
    throw describePostgresError(explainConnectFailure(error));
  }
}

/** Errors that PostgreSQL itself reports, such as a full disk, have an SQLSTATE of five characters. */
function describePostgresError(error: unknown): unknown {
  const hasSqlState = error instanceof Error && /^[0-9A-Z]{5}$/.test(errorCodeOf(error));
  // ECONNRESET and similar codes are longer. EPIPE has five letters, but it is a system call error.
  if (!hasSqlState || error instanceof StartupError || 'syscall' in error) return error;
  return new StartupError('unavailable', `DATABASE_URL: PostgreSQL reported an error (${error.message}).`);
}
