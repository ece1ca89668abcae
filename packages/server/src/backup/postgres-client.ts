import pg from 'pg';
import { connectionConfig } from '../database/postgres.ts';
import { disableTimeoutsSql } from '../database/postgres-pool.ts';

/**
 * Opens a connection without the timeouts of a server, because reading or writing everything may take long.
 *
 * @param connection the connection settings of a server
 */
export async function connectWithoutTimeouts(connection: pg.ClientConfig): Promise<pg.Client> {
  const {
    statement_timeout,
    query_timeout,
    lock_timeout,
    idle_in_transaction_session_timeout,
    ...withoutTimeouts
  } = connection;
  const client = new pg.Client({
    ...withoutTimeouts,
    application_name: 'soku backup',
  });
  // The failing statement reports the error to its caller.
  client.on('error', () => undefined);
  await client.connect();
  await client.query(`${disableTimeoutsSql}; SET idle_in_transaction_session_timeout = 0`);
  return client;
}

/** Describes the database without user and password. @param url DATABASE_URL */
export function describePostgres(url: string): string {
  const { database, host, port } = new pg.Client(connectionConfig(url));
  return `the PostgreSQL database ${database} at ${host}:${port}`;
}
