import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { Database } from '../../packages/server/src/database/open.ts';
import { openPostgres, type PostgresDatabase } from '../../packages/server/src/database/postgres.ts';
import { createLog } from '../../packages/server/src/http/logging.ts';
import {
  copyDatabase,
  createTemporaryDatabase,
  prepareForCopies,
  type TemporaryDatabase,
} from './postgres-database.ts';
import { openTemporarySqlite } from './temporary-sqlite.ts';
import { testTimeoutMs } from './test-timeout.ts';

/** The databases of store tests. */
export const bothDatabases = ['sqlite', 'postgres'] as const;

/** Those of tests of queries that compare or sort texts: also PostgreSQL with a natural-language collation. */
export const databases = [...bothDatabases, 'postgres in a language'] as const;

/** A collation that sorts numbers in texts by value, and letters not by bytes. */
const language = "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US-u-kn-true'";

/** Resolves when as many sessions as `work` items wait for locks; fails if an item completes without waiting. */
export async function waitUntilBlocked(
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
    assert.equal(done, 0, 'it did not wait for a lock');
    await turn();
  }
}

/**
 * Opens a PostgreSQL database as the server does, with longer timeouts: on a busy machine, statements that wait for
 * each other on purpose would exceed the server's own.
 */
export async function openWithLongTimeouts(url: string): Promise<PostgresDatabase> {
  return openPostgres(url, await createLog('silent', false), undefined, {
    connectionTimeoutMillis: testTimeoutMs,
    statement_timeout: testTimeoutMs,
    query_timeout: testTimeoutMs,
    lock_timeout: testTimeoutMs,
    idle_in_transaction_session_timeout: testTimeoutMs,
  });
}

/** Names of databases with all tables, by the options of their creation. */
const migrated = new Map<string, Promise<string>>();

/** A new database with all tables. Only the first one is migrated, because a copy takes far less time. */
async function migratedDatabase(options: string): Promise<TemporaryDatabase> {
  const template = migrated.get(options) ?? migrate(options);
  migrated.set(options, template);
  return copyDatabase(await template);
}

async function migrate(options: string): Promise<string> {
  const { url } = await createTemporaryDatabase(undefined, options);
  await (await openWithLongTimeouts(url)).close();
  return prepareForCopies(url);
}

/**
 * A separate PostgreSQL database for a test in this process, opened as the server does.
 *
 * @param options those of CREATE DATABASE, such as a locale
 * @returns `close` also removes it
 */
export async function openTestPostgres(
  options = '',
): Promise<{ url: string; database: PostgresDatabase; close(): Promise<void> }> {
  const { url, drop } = await migratedDatabase(options);
  const database = await openWithLongTimeouts(url);
  const close = async () => {
    await database.close();
    await drop();
  };
  return { url, database, close };
}

/**
 * The same for a test that runs on both databases.
 *
 * @returns `close` also removes it
 */
export async function openTestDatabase(
  which: (typeof databases)[number],
): Promise<{ database: Database; close(): Promise<void> }> {
  if (which === 'sqlite') return openTemporarySqlite();
  return openTestPostgres(which === 'postgres' ? '' : language);
}
