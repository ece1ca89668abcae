import type pg from 'pg';

/** PgBouncer's error for a transaction when it pools by statement. */
export const statementPoolingPattern = /statement pooling/;

/**
 * Whether each client has its own PostgreSQL session. Behind a pooler that pools by transaction or statement it does
 * not: LISTEN then receives nothing, and prepared statements and timeouts affect other sessions.
 *
 * Such a pooler gives each statement any free session. It is detected if two idle clients get the same session, or if
 * an open transaction of one client takes the session of the other. A busy pooler can go undetected. Nodes then learn
 * of changes with the next heartbeat instead of immediately, but no revoke returns too early.
 *
 * @param client connected, and `other` as well
 */
export async function haveSeparateSessions(client: pg.Client, other: pg.Client): Promise<boolean> {
  const own = await sessionOf(client);
  if ((await sessionOf(other)) === own) return false;
  await other.query('BEGIN');
  const held = await sessionOf(other);
  return held !== own && (await sessionOf(client)) === own;
}

/** The process ID of the PostgreSQL session. */
async function sessionOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
  return Number(rows[0]?.pid);
}
