import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Logger } from 'pino';
import { StartupError } from '../startup-error.ts';
import { advisoryLocks } from './dialect.ts';
import { migrate, migrations } from './migrate.ts';
import { createPool, disableTimeoutsSql } from './postgres-pool.ts';
import type { Tables } from './schema.ts';

const [firstMigration] = Object.keys(migrations);

/** Tables of the first migration. */
const firstTables = ['user', 'session', 'account', 'verification', 'workspace', 'workspace_member'];

/**
 * Migrates PostgreSQL to the newest schema.
 *
 * @throws {StartupError} 65 when the database is newer than this version, or has tables of another program; nothing
 *   was changed
 */
export async function migratePostgres(connection: pg.ClientConfig, log: Logger): Promise<void> {
  // A migration has no timeout, and neither has waiting for another node that migrates.
  const {
    statement_timeout,
    query_timeout,
    lock_timeout,
    idle_in_transaction_session_timeout,
    ...withoutTimeouts
  } = connection;
  const client = new pg.Client(withoutTimeouts);
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(disableTimeoutsSql);
    if ((await unapplied(client)) === 0) return;
    // Other nodes wait for this lock, which ends with the connection.
    await client.query('SELECT pg_advisory_lock($1)', [advisoryLocks.migration]);
    // Another node may have migrated meanwhile.
    if ((await unapplied(client)) === 0) return;
    const pool = createPool({ ...withoutTimeouts, max: 2 });
    pool.on('connect', (connected) => void connected.query(disableTimeoutsSql).catch(() => undefined));
    const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
    try {
      const done = await migrate(kysely);
      log.info(`PostgreSQL: migrated (${done.join(', ')})`);
    } finally {
      await kysely.destroy();
    }
  } finally {
    await client.end();
  }
}

/**
 * @returns the number of pending migrations
 * @throws {StartupError} 65
 */
async function unapplied(client: pg.Client): Promise<number> {
  const { rows } = await client.query(`SELECT to_regclass('kysely_migration') IS NOT NULL AS exists`);
  const applied =
    rows[0].exists === true
      ? (await client.query('SELECT name FROM kysely_migration')).rows.map((row) => String(row.name))
      : [];
  // Another program can also have such a table. Soku's is empty if a first start was interrupted.
  if (!applied.includes(String(firstMigration)) && (applied.length > 0 || (await hasTables(client)))) {
    throw foreign();
  }
  const newer = applied.find((name) => !(name in migrations));
  if (newer !== undefined) {
    throw new StartupError(
      'data',
      `The database was written by a newer version of Soku (it has ${newer}). Nothing was changed. Start that version.`,
    );
  }
  return Object.keys(migrations).length - applied.length;
}

/** Whether tables with Soku's names already exist where they would be created. */
async function hasTables(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query(
    'SELECT 1 FROM unnest($1::text[]) AS name WHERE to_regclass(quote_ident(name)) IS NOT NULL',
    [firstTables],
  );
  return rows.length > 0;
}

function foreign(): StartupError {
  return new StartupError(
    'data',
    'DATABASE_URL: the database has tables of another program. Nothing was changed. Give Soku its own database: CREATE DATABASE soku.',
  );
}
