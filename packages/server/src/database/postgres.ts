import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Logger } from 'pino';
import { KyselyConnections } from './kysely-connections.ts';
import { explainConnectFailure } from './postgres-failures.ts';
import { migratePostgres } from './postgres-migrate.ts';
import { createPool, type RenewablePool } from './postgres-pool.ts';
import { checkSchemaAndPrivileges, type StartRetry, waitForPostgres } from './postgres-start.ts';
import { parsePostgresUrl } from './postgres-url.ts';
import type { Tables } from './schema.ts';

/** PostgreSQL, which several processes, the nodes, share. */
export interface PostgresDatabase {
  kind: 'postgres';
  kysely: Kysely<Tables>;
  /** The pool that kysely uses, for direct statements. */
  pool: RenewablePool;
  /** The pool of verification: other work cannot exhaust it, and shorter timeouts allow a 503 response in time. */
  verificationPool: RenewablePool;
  /** The settings of connections outside the pools. */
  connection: pg.ClientConfig;
  /** @throws when it does not respond */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Timeouts in ms. A node that freezes during a transaction must not block the others for longer than
 * `idleInTransaction`, and callers must get an error response when the database hangs.
 */
const bounds = { connect: 3000, statement: 10_000, query: 12_000, lock: 5000, idleInTransaction: 1000 };

/** Timeouts of a verification that reads the database, in ms. */
const verificationBounds = {
  connectionTimeoutMillis: 1500,
  statement_timeout: 1500,
  query_timeout: 1500,
};

/** Connections per process. PostgreSQL's default maximum is 100 for all processes. */
const poolSizes = { usual: 10, verification: 4 };

/** Parses 64-bit integers as numbers: all values (times, counts) are far below 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format),
};

/**
 * Connects to PostgreSQL and migrates it to the newest schema. When several nodes start at the same time, one of them
 * migrates.
 *
 * @param url DATABASE_URL
 * @param retry how long to wait for a database that is also starting
 * @param bounds replace the default timeouts, in ms; for long transactions, and for tests on busy machines
 * @throws {StartupError} 69 when it cannot be reached, 78 when it rejects the connection or has unsuitable settings, 65
 *   when it is newer than this version or belongs to another program, or its schema was changed by hand
 */
export async function openPostgres(
  url: string,
  log: Logger,
  retry?: StartRetry,
  bounds: pg.ClientConfig = {},
): Promise<PostgresDatabase> {
  let connection: pg.ClientConfig;
  try {
    connection = { ...connectionConfig(url), ...bounds };
    await waitForPostgres(connection, log, retry);
    await migratePostgres(connection, log);
    await checkSchemaAndPrivileges(connection);
  } catch (error) {
    throw explainConnectFailure(error);
  }
  const pool = createPool({ ...connection, max: poolSizes.usual, idleTimeoutMillis: 60_000 }, true);
  const verificationPool = createPool({
    ...connection,
    ...verificationBounds,
    ...bounds,
    max: poolSizes.verification,
    // Otherwise a key that is not cached could not be verified while PostgreSQL has no free connections.
    min: 1,
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
      // Kysely ends the pool only if it has run a statement.
      if (!pool.ending) await pool.end();
      await verificationPool.end();
    },
  };
}

/**
 * The settings of a connection.
 *
 * @param address DATABASE_URL
 * @throws when a file that the URL names cannot be read
 */
export function connectionConfig(address: string): pg.ClientConfig {
  return {
    ...parsePostgresUrl(address),
    types,
    application_name: 'soku',
    keepAlive: true,
    // The listening connection is silent for hours, and a firewall may drop it.
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: bounds.connect,
    statement_timeout: bounds.statement,
    query_timeout: bounds.query,
    lock_timeout: bounds.lock,
    idle_in_transaction_session_timeout: bounds.idleInTransaction,
  };
}
