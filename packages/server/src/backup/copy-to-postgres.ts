import type pg from 'pg';
import type { Logger } from 'pino';
import { connectionConfig, type PostgresDatabase } from '../database/postgres.ts';
import { waitForPostgres } from '../database/postgres-start.ts';
import { StartupError } from '../startup-error.ts';
import { copyTables, digestTables, findDifferingTable, type Progress } from './copy.ts';
import { quoteIdentifier } from './endpoint.ts';
import { connectWithoutTimeouts } from './postgres-client.ts';
import { postgresEndpoint } from './postgres-endpoint.ts';
import { openSqliteSource } from './source.ts';
import { databaseTables } from './tables.ts';

/**
 * Checks before any work that the database is empty and accessible.
 *
 * @param url DATABASE_URL
 * @throws {StartupError} 73 if the database is not empty, 69 or 78 if it does not accept the connection
 */
export async function requireEmptyPostgres(url: string, log: Logger): Promise<void> {
  const connection = connectionConfig(url);
  // Without retries, so that the operator learns at once that the database is not available.
  await waitForPostgres(connection, log, { timeoutMs: 0, pauseMs: 0 });
  const client = await connectWithoutTimeouts(connection);
  try {
    await requireEmpty(client);
  } finally {
    await client.end();
  }
}

/**
 * Copies a database file to an empty PostgreSQL database with the same schema, and verifies all rows against the file,
 * in one transaction.
 *
 * @throws {StartupError} 73 if the database is not empty. Nothing is changed then.
 */
export async function copyToPostgres(
  { connection }: PostgresDatabase,
  file: string,
  progress: Progress,
): Promise<void> {
  const source = openSqliteSource(file);
  const client = await connectWithoutTimeouts(connection);
  try {
    // Set explicitly, because triggers reject other levels and the default of the database may differ.
    await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
    await client.query(
      `LOCK TABLE ${Object.keys(databaseTables).map(quoteIdentifier).join(', ')} IN EXCLUSIVE MODE`,
    );
    await requireEmpty(client);
    // The trigger would publish each revoked hash as a change. One change below covers all of them. A rollback
    // restores the trigger.
    await client.query('ALTER TABLE dead_hash DISABLE TRIGGER dead_hash_published');
    const content = await copyTables(source.endpoint, postgresEndpoint(client), databaseTables, progress);
    const wrong = findDifferingTable(content, await digestTables(postgresEndpoint(client), databaseTables));
    if (wrong !== undefined) {
      throw new StartupError(
        'software',
        `PostgreSQL returned different rows than were written to ${wrong}. Nothing was changed.`,
      );
    }
    await client.query('ALTER TABLE dead_hash ENABLE ALWAYS TRIGGER dead_hash_published');
    // The database may have been migrated long ago. What was used since then, but before this copy, is not known.
    await client.query('UPDATE usage_history SET complete_since = $1', [Date.now()]);
    await invalidateNodes(client);
    await client.query('COMMIT');
  } finally {
    await client.end();
    await source.close();
  }
}

async function requireEmpty(client: pg.Client): Promise<void> {
  for (const name of Object.keys(databaseTables)) {
    const table = await client.query('SELECT to_regclass($1) IS NOT NULL AS exists', [quoteIdentifier(name)]);
    if (table.rows[0].exists !== true) continue;
    if ((await client.query(`SELECT 1 FROM ${quoteIdentifier(name)} LIMIT 1`)).rowCount === 0) continue;
    throw new StartupError(
      'cannotCreate',
      `DATABASE_URL: the database is not empty (${name}). Nothing was changed. Create another one: CREATE DATABASE soku2.`,
    );
  }
}

/**
 * Leaves a gap in the sequence of changes, so that any node running on this database clears its cache. It may have
 * cached one of the keys as unknown before the key was copied.
 */
async function invalidateNodes(client: pg.Client): Promise<void> {
  await client.query(
    `WITH head AS (
       UPDATE change_head SET seq = seq + 2, token = gen_random_uuid()::text RETURNING seq, token
     )
     INSERT INTO key_change (seq, token, kind, subject, hashes) SELECT seq, token, 'workspace', '', '{}' FROM head`,
  );
}
