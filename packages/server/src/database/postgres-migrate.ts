import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Logger } from 'pino';
import { StartupError } from '../startup-error.ts';
import { migrate, migrations } from './migrate.ts';
import { createPool } from './postgres-pool.ts';
import type { Tables } from './schema.ts';

/** Number of the advisory lock that whoever migrates holds: 'soku' in ASCII. Others wait for it. */
const lock = 0x736f6b75;

/** "relation exists": a table of another program has one of our names. */
const duplicateTable = '42P07';

/**
 * Brings PostgreSQL to the newest schema.
 *
 * @throws {StartupError} 65 when the database is newer than this program, or has tables of another one; nothing was
 *   changed then
 */
export async function migratePostgres(connection: pg.ClientConfig, log: Logger): Promise<void> {
  // A migration takes as long as it takes, and so does waiting for the node that is at it.
  const { statement_timeout, query_timeout, lock_timeout, idle_in_transaction_session_timeout, ...patient } =
    connection;
  const client = new pg.Client(patient);
  client.on('error', () => undefined);
  await client.connect();
  try {
    if ((await unapplied(client)) === 0) return;
    await client.query('SELECT pg_advisory_lock($1)', [lock]);
    // Another node may have done it while we waited.
    if ((await unapplied(client)) === 0) return;
    const pool = createPool({ ...patient, max: 2 });
    const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
    try {
      const done = await migrate(kysely);
      log.info(`PostgreSQL: migrated (${done.join(', ')})`);
    } finally {
      await kysely.destroy();
    }
  } catch (error) {
    throw isDuplicateTable(error) ? foreign() : error;
  } finally {
    await client.end();
  }
}

/** @returns how many migrations are still to run */
async function unapplied(client: pg.Client): Promise<number> {
  const { rows } = await client.query(`SELECT to_regclass('kysely_migration') IS NOT NULL AS exists`);
  if (rows[0].exists !== true) return Object.keys(migrations).length;
  const applied = (await client.query('SELECT name FROM kysely_migration')).rows.map((row) =>
    String(row.name),
  );
  const newer = applied.find((name) => !(name in migrations));
  if (newer !== undefined) {
    throw new StartupError(
      'data',
      `The database was written by a newer version of Soku (it has ${newer}). Nothing was changed. Start that version.`,
    );
  }
  return Object.keys(migrations).length - applied.length;
}

function isDuplicateTable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === duplicateTable;
}

function foreign(): StartupError {
  return new StartupError(
    'data',
    'DATABASE_URL: the database has tables of another program by the same names. Nothing was changed. Give Soku a database of its own: CREATE DATABASE soku.',
  );
}
