import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { StartupError } from '../startup-error.ts';

/** The oldest version whose functions we use (gen_random_uuid). */
const oldest = 13;

/** ms: how long a start waits for a database that is starting, too, and how long between two tries. */
const patience = 15_000;
const pause = 500;

/** The database is there in a moment, or never: no such host or port, or it is starting (SQLSTATE class 57). */
const passing = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', '57P03', '57P01', '57P02']);

/** It is there and does not let us in. */
const refusals: Record<string, string> = {
  '28P01': 'refused the user or the password',
  '28000': 'refused the user',
  '3D000': 'has no such database',
  '42501': 'does not give this user the rights that it needs',
  '53300': 'has no connection left',
};

/**
 * Waits until PostgreSQL lets us in, and looks whether it is one that we can use.
 *
 * @throws {StartupError} 69 when it cannot be reached, 78 when it refuses
 */
export async function connected(connection: pg.ClientConfig, log: Logger): Promise<void> {
  const deadline = performance.now() + patience;
  let told = false;
  for (;;) {
    try {
      return await look(connection);
    } catch (error) {
      if (!isPassing(error) || performance.now() > deadline) throw refused(error);
      if (!told)
        log.warn(`PostgreSQL does not answer yet (${codeOf(error)}); trying for ${patience / 1000} s`);
      told = true;
      await wait(pause);
    }
  }
}

async function look(connection: pg.ClientConfig): Promise<void> {
  const client = new pg.Client(connection);
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query(
      `SELECT current_setting('server_version_num')::int / 10000 AS version,
              pg_is_in_recovery() AS replica, current_setting('synchronous_commit') AS durable`,
    );
    const { version, replica, durable } = rows[0];
    if (version < oldest) throw unfit(`is version ${version}, but ${oldest} or newer is needed`);
    if (replica) throw unfit('is a read-only replica; give the address of the primary');
    if (durable === 'off') {
      throw unfit(
        'has synchronous_commit = off, with which a crash can undo a revoke that was answered; set it to on',
      );
    }
  } finally {
    await client.end().catch(() => undefined);
  }
}

function unfit(problem: string): StartupError {
  return new StartupError('configuration', `DATABASE_URL: PostgreSQL there ${problem}.`);
}

/** Never tells the address, which has the password in it. */
function refused(error: unknown): StartupError {
  if (error instanceof StartupError) return error;
  const code = codeOf(error);
  const refusal = refusals[code];
  if (refusal !== undefined) {
    return new StartupError(
      'configuration',
      `DATABASE_URL: PostgreSQL ${refusal}. Example: DATABASE_URL=postgres://soku:password@db.example.com/soku`,
    );
  }
  const reason = code === '' ? (error instanceof Error ? error.message : 'no reason given') : code;
  return new StartupError(
    'unavailable',
    `DATABASE_URL: PostgreSQL does not answer (${reason}). Is it running, and reachable from here?`,
  );
}

function isPassing(error: unknown): boolean {
  return passing.has(codeOf(error));
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
