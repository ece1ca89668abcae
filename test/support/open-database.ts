import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { Database } from '../../packages/server/src/database/open.ts';
import { openPostgres, type PostgresDatabase } from '../../packages/server/src/database/postgres.ts';
import { createLog } from '../../packages/server/src/http/logging.ts';
import { patience } from './patience.ts';
import { temporaryDatabase } from './postgres-database.ts';
import { openTemporary } from './temporary-sqlite.ts';

/** Where tests of stores run: both databases, and PostgreSQL with a locale that sorts as people do. */
export const databases = ['sqlite', 'postgres', 'postgres in a language'] as const;

/** Numbers in a text count as numbers there, and no letter stands where its byte does. */
const language = "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US-u-kn-true'";

/** Resolves when as many sessions as there are pieces of work wait for locks; fails when a piece of the work is done before. */
export async function whenWaiting(
  { pool }: PostgresDatabase,
  work: readonly Promise<unknown>[],
): Promise<void> {
  let done = 0;
  const count = () => {
    done += 1;
  };
  for (const one of work) one.then(count, count);
  const waiting =
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
  while ((await pool.query(waiting)).rows.length < work.length) {
    assert.equal(done, 0, 'it did not wait');
    await turn();
  }
}

/**
 * Opens a database on PostgreSQL as the server does, with more time for all: on a machine that does much else, statements
 * that wait for each other on purpose would run into the server's own bounds.
 */
export async function openPatiently(url: string): Promise<PostgresDatabase> {
  return openPostgres(url, await createLog('silent', false), undefined, {
    connectionTimeoutMillis: patience,
    statement_timeout: patience,
    query_timeout: patience,
    lock_timeout: patience,
    idle_in_transaction_session_timeout: patience,
  });
}

/**
 * A database of a test's own, in this process, opened as the server opens its own.
 *
 * @returns `close` also removes it
 */
export async function openTestDatabase(
  which: (typeof databases)[number],
): Promise<{ database: Database; close(): Promise<void> }> {
  if (which === 'sqlite') return openTemporary();
  const { url, drop } = await temporaryDatabase(undefined, which === 'postgres' ? '' : language);
  const database = await openPatiently(url);
  const close = async () => {
    await database.close();
    await drop();
  };
  return { database, close };
}
