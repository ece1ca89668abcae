import type {
  PostgresPoolClient as KyselyClient,
  PostgresPool as KyselyPool,
  PostgresCursor,
  PostgresQueryResult,
} from 'kysely';
import pg from 'pg';
import { errorCodeOf } from '../error-code.ts';
import {
  DatabaseUnavailable,
  recordUnavailable,
  type StorageProblem,
  StorageUnavailable,
} from './unavailable.ts';

/**
 * Prefixes of SQLSTATEs after which a retry may succeed
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html): connection failure, transaction rollback,
 * insufficient resources, lock timeout, idle-in-transaction timeout, read-only after a failover, operator intervention,
 * I/O error.
 */
const transientCodes = ['08', '40', '53', '55P03', '25P03', '25006', '57', '58'];

/** Those after which the transaction was certainly rolled back: serialization failure, deadlock. */
const rolledBackCodes = new Set(['40001', '40P01']);

/** Those about PostgreSQL's disk: no space left, I/O error. */
const storageCodes: [string, StorageProblem][] = [
  ['53100', 'full'],
  ['58', 'failed'],
];

/** Translates an error for callers of Kysely: distinguishes transient failures from bugs. */
function translate(error: unknown): unknown {
  if (error instanceof TypeError || error instanceof RangeError) return error;
  const code = errorCodeOf(error);
  // An error that is not PostgreSQL's comes from the connection.
  if (error instanceof pg.DatabaseError && !transientCodes.some((start) => code.startsWith(start)))
    return error;
  const problem = storageCodes.find(([start]) => code.startsWith(start))?.[1];
  const failure =
    problem === undefined
      ? new DatabaseUnavailable(error, { code, rolledBack: rolledBackCodes.has(code) })
      : new StorageUnavailable(error, { problem, code, rolledBack: false });
  recordUnavailable(failure);
  return failure;
}

/** Connections for Kysely. A broken one, or one with an outstanding response, is not reused. */
export class KyselyConnections implements KyselyPool {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async connect(): Promise<KyselyClient> {
    try {
      return new KyselyConnection(await this.#pool.connect());
    } catch (error) {
      throw translate(error);
    }
  }

  end(): Promise<void> {
    return this.#pool.end();
  }
}

class KyselyConnection implements KyselyClient {
  readonly #client: pg.PoolClient;
  #isBroken = false;

  constructor(client: pg.PoolClient) {
    this.#client = client;
  }

  query<R>(sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  query(sql: unknown, parameters: readonly unknown[] = []): unknown {
    if (typeof sql !== 'string') throw new TypeError('cursors are not supported');
    return this.#query(sql, [...parameters]);
  }

  async #query(sql: string, parameters: unknown[]) {
    try {
      const result: pg.QueryResult | pg.QueryResult[] = await this.#client.query(sql, parameters);
      // For several statements in one text, the result is that of the last one that returns rows.
      return Array.isArray(result)
        ? (result.findLast(({ fields }) => fields.length > 0) ?? result.at(-1))
        : result;
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) this.#isBroken = true;
      throw translate(error);
    }
  }

  release(destroy?: boolean): void {
    this.#client.release(destroy === true || this.#isBroken);
  }
}
