import type pg from 'pg';

/** What PgBouncer says to a transaction when it pools by statement. */
export const poolsByStatement = /statement pooling/;

/**
 * Whether each client has a PostgreSQL session of its own. Behind a pooler that pools by transaction or statement it
 * has not: then LISTEN hears nothing, and prepared statements and timeouts reach other sessions.
 *
 * Such a pooler gives a client's statement any free session. So two clients that are both idle get the same one, or one
 * that keeps a session busy takes away that of the other. On a busy pooler this can go unseen; then changes are learned
 * of by the next exchange, not at once, and no revoke returns too early.
 *
 * @param client connected, and `other` as well
 */
export async function haveOwnSessions(client: pg.Client, other: pg.Client): Promise<boolean> {
  const own = await sessionOf(client);
  if ((await sessionOf(other)) === own) return false;
  await other.query('BEGIN');
  const held = await sessionOf(other);
  return held !== own && (await sessionOf(client)) === own;
}

/** The process id of the session at PostgreSQL. */
async function sessionOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
  return Number(rows[0]?.pid);
}
