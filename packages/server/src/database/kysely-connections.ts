import type {
  PostgresPoolClient as KyselyClient,
  PostgresPool as KyselyPool,
  PostgresCursor,
  PostgresQueryResult,
} from 'kysely';
import pg from 'pg';
import { codeOf } from '../code-of.ts';
import {
  DatabaseUnavailable,
  noteUnavailable,
  type StorageProblem,
  StorageUnavailable,
} from './unavailable.ts';

/**
 * SQLSTATEs after which the same may succeed, by their beginnings
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html): no connection; conflict of transactions; no
 * resources; no lock in time, or too long idle in a transaction; read-only since a failover; stopped by timeout or
 * operator; input or output failed.
 */
const passing = ['08', '40', '53', '55P03', '25P03', '25006', '57', '58'];

/** Of these, those with which PostgreSQL tells that it has undone the transaction: serialization failure, deadlock. */
const undone = new Set(['40001', '40P01']);

/** Of these, those about PostgreSQL's disk: no space left; input or output failed. */
const ofStorage: [string, StorageProblem][] = [
  ['53100', 'full'],
  ['58', 'failed'],
];

/** A failure as the callers of Kysely see it: what a moment later may succeed is told apart from our mistakes. */
function translate(error: unknown): unknown {
  if (error instanceof TypeError || error instanceof RangeError) return error;
  const code = codeOf(error);
  // What does not come from PostgreSQL comes from the connection to it.
  if (error instanceof pg.DatabaseError && !passing.some((start) => code.startsWith(start))) return error;
  const problem = ofStorage.find(([start]) => code.startsWith(start))?.[1];
  const failure =
    problem === undefined
      ? new DatabaseUnavailable(error, { code, rolledBack: undone.has(code) })
      : new StorageUnavailable(error, { problem, code, rolledBack: false });
  noteUnavailable(failure);
  return failure;
}

/** Connections for Kysely. One that broke, or on which an answer is still to come, is not handed out again. */
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
    if (typeof sql !== 'string') throw new TypeError('nothing here reads with cursors');
    return this.#query(sql, [...parameters]);
  }

  async #query(sql: string, parameters: unknown[]) {
    try {
      const result: pg.QueryResult | pg.QueryResult[] = await this.#client.query(sql, parameters);
      // Several statements in one text: the result is that of the last one which returns rows.
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
