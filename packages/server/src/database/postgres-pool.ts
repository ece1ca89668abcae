import pg from 'pg';

/**
 * Connections to PostgreSQL that may break at any time. One that does is replaced; whoever uses it just then is told
 * by the statement that fails. The driver tells it besides by an event, which would end the process if nobody
 * listened: of idle connections on the pool, and of one that somebody has taken, between two statements of a
 * transaction, on itself.
 */
export function createPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(config);
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** For what takes as long as it takes: a migration, a backup. Roles and databases may have timeouts of their own. */
export const noTimeouts = 'SET statement_timeout = 0; SET lock_timeout = 0';
