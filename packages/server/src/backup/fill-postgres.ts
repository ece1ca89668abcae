import type pg from 'pg';
import type { Logger } from 'pino';
import { connectionOf, type PostgresDatabase } from '../database/postgres.ts';
import { connected } from '../database/postgres-start.ts';
import { StartupError } from '../startup-error.ts';
import { contentOf, copy, difference, type Progress } from './copy.ts';
import { connectPatiently } from './postgres-client.ts';
import { postgresSide } from './postgres-side.ts';
import { quoted } from './side.ts';
import { openFile } from './source.ts';
import { tables } from './tables.ts';

/**
 * Looks before any work whether it would be in vain.
 *
 * @param url DATABASE_URL
 * @throws {StartupError} 73 when the database is not empty, 69 or 78 when it does not let us in
 */
export async function requireEmptyPostgres(url: string, log: Logger): Promise<void> {
  const connection = connectionOf(url);
  // Who sits before it wants to know now that it does not answer.
  await connected(connection, log, { patience: 0, pause: 0 });
  const client = await connectPatiently(connection);
  try {
    await requireEmpty(client);
  } finally {
    await client.end();
  }
}

/**
 * Writes a database file into an empty PostgreSQL of the same schema, and checks all rows against it, in one
 * transaction.
 *
 * @throws {StartupError} 73 when it is not empty; nothing was changed then
 */
export async function fillPostgres(
  { connection }: PostgresDatabase,
  file: string,
  progress: Progress,
): Promise<void> {
  const source = openFile(file);
  const client = await connectPatiently(connection);
  try {
    // Whatever the database's default is: triggers refuse others.
    await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
    await client.query(`LOCK TABLE ${Object.keys(tables).map(quoted).join(', ')} IN EXCLUSIVE MODE`);
    await requireEmpty(client);
    // Each dead hash alone would be published as a change; below all are told at once. This ends with the transaction.
    await client.query('ALTER TABLE dead_hash DISABLE TRIGGER dead_hash_published');
    const content = await copy(source.side, postgresSide(client), tables, progress);
    const wrong = difference(content, await contentOf(postgresSide(client), tables));
    if (wrong !== undefined) {
      throw new StartupError(
        'software',
        `PostgreSQL does not hold what was written into ${wrong}. Nothing was changed.`,
      );
    }
    await client.query('ALTER TABLE dead_hash ENABLE ALWAYS TRIGGER dead_hash_published');
    await tellNodes(client);
    await client.query('COMMIT');
  } finally {
    await client.end();
    await source.close();
  }
}

async function requireEmpty(client: pg.Client): Promise<void> {
  for (const name of Object.keys(tables)) {
    const table = await client.query('SELECT to_regclass($1) IS NOT NULL AS exists', [quoted(name)]);
    if (table.rows[0].exists !== true) continue;
    if ((await client.query(`SELECT 1 FROM ${quoted(name)} LIMIT 1`)).rowCount === 0) continue;
    throw new StartupError(
      'cannotCreate',
      `DATABASE_URL: the database is not empty (${name}). Nothing was changed. Make another one: CREATE DATABASE soku2.`,
    );
  }
}

/**
 * A gap in the numbers of the changes makes a node that runs on this database forget all that it remembers: it may
 * have been asked for one of the keys before it was there.
 */
async function tellNodes(client: pg.Client): Promise<void> {
  await client.query(
    `WITH head AS (
       UPDATE change_head SET seq = seq + 2, token = gen_random_uuid()::text RETURNING seq, token
     )
     INSERT INTO key_change (seq, token, kind, subject, hashes) SELECT seq, token, 'workspace', '', '{}' FROM head`,
  );
}
