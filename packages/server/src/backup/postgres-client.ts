import pg from 'pg';
import { connectionOf } from '../database/postgres.ts';
import { noTimeouts } from '../database/postgres-pool.ts';

/**
 * A connection without the bounds of a server's: reading or writing everything takes as long as it takes.
 *
 * @param connection of a server
 */
export async function connectPatiently(connection: pg.ClientConfig): Promise<pg.Client> {
  const { statement_timeout, query_timeout, lock_timeout, idle_in_transaction_session_timeout, ...patient } =
    connection;
  const client = new pg.Client({
    ...patient,
    application_name: 'soku backup',
  });
  // Whoever uses the connection is told by the statement that fails.
  client.on('error', () => undefined);
  await client.connect();
  await client.query(`${noTimeouts}; SET idle_in_transaction_session_timeout = 0`);
  return client;
}

/** Which database it is, in words, without user and password. @param url DATABASE_URL */
export function nameOf(url: string): string {
  const { database, host, port } = new pg.Client(connectionOf(url));
  return `the PostgreSQL database ${database} at ${host}:${port}`;
}
