import pg from 'pg';

/**
 * A pool of connections to PostgreSQL, which may break at any time. A broken one is replaced, and its current statement
 * fails. The driver also emits an error event, which would end the process without a listener: on the pool for idle
 * connections, and on the client for a connection in use that breaks between two statements.
 */
export function createPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(config);
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** For work without time limits, such as a migration or a backup. Roles and databases may have their own timeouts. */
export const noTimeouts = 'SET statement_timeout = 0; SET lock_timeout = 0';
