import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Logger } from 'pino';
import { KyselyConnections } from './kysely-connections.ts';
import { clientConfigOf } from './postgres-address.ts';
import { refusedStart } from './postgres-failures.ts';
import { migratePostgres } from './postgres-migrate.ts';
import { createPool } from './postgres-pool.ts';
import { checkTables, connected, type StartRetry } from './postgres-start.ts';
import type { Tables } from './schema.ts';

/** PostgreSQL: many processes, the nodes, share it. */
export interface PostgresDatabase {
  kind: 'postgres';
  kysely: Kysely<Tables>;
  /** The connections that kysely uses, for statements of one's own. */
  pool: pg.Pool;
  /** Those of verification: no other work can take them all, and they give up sooner, so that it answers 503 in time. */
  verificationPool: pg.Pool;
  /** How a connection beside the pools is made. */
  connection: pg.ClientConfig;
  /** @throws when it does not answer */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Bounds in ms. A node that is frozen in the midst of a transaction must not hold up the others for longer than
 * `idleInTransaction`; and whoever asks gets an answer, though a bad one, when the database hangs.
 */
const bounds = { connect: 3000, statement: 10_000, query: 12_000, lock: 5000, idleInTransaction: 1000 };

/** Of a verification that has to read, in ms. */
const verificationBounds = {
  connectionTimeoutMillis: 1500,
  statement_timeout: 1500,
  query_timeout: 1500,
};

/** Connections of one process. PostgreSQL's own bound is 100 for all of them, unless it is raised. */
const poolSizes = { usual: 10, verification: 4 };

/** 64-bit numbers as numbers: all of ours (times, counts) are far below 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format),
};

/**
 * Connects to PostgreSQL, and brings its tables to the newest schema; when several nodes start at once, one of them
 * does.
 *
 * @param url DATABASE_URL
 * @param retry how long to wait for a database that is starting, too
 * @param bounds in place of the usual ones, in ms; for tests, on machines that do much else
 * @throws {StartupError} 69 when it cannot be reached, 78 when it does not let us in or is not set up as we need it, 65
 *   when it is newer than this program or not ours, or its schema was changed by hand
 */
export async function openPostgres(
  url: string,
  log: Logger,
  retry?: StartRetry,
  bounds: pg.ClientConfig = {},
): Promise<PostgresDatabase> {
  let connection: pg.ClientConfig;
  try {
    connection = { ...connectionOf(url), ...bounds };
    await connected(connection, log, retry);
    await migratePostgres(connection, log);
    await checkTables(connection);
  } catch (error) {
    throw refusedStart(error);
  }
  const pool = createPool({ ...connection, max: poolSizes.usual, idleTimeoutMillis: 60_000 });
  const verificationPool = createPool({
    ...connection,
    ...verificationBounds,
    ...bounds,
    max: poolSizes.verification,
    application_name: 'soku verification',
  });
  const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: new KyselyConnections(pool) }) });
  return {
    kind: 'postgres',
    kysely,
    pool,
    verificationPool,
    connection,
    ping: async () => {
      await pool.query('SELECT 1');
    },
    close: async () => {
      await kysely.destroy();
      // Kysely ends it only when it has run a statement.
      if (!pool.ending) await pool.end();
      await verificationPool.end();
    },
  };
}

/**
 * How a connection is made.
 *
 * @param address DATABASE_URL
 * @throws when a file that the address names cannot be read
 */
export function connectionOf(address: string): pg.ClientConfig {
  return {
    ...clientConfigOf(address),
    types,
    application_name: 'soku',
    keepAlive: true,
    // The one that listens is silent for hours, and a firewall may have forgotten it.
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: bounds.connect,
    statement_timeout: bounds.statement,
    query_timeout: bounds.query,
    lock_timeout: bounds.lock,
    idle_in_transaction_session_timeout: bounds.idleInTransaction,
  };
}
