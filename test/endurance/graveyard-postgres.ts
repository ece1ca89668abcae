import pg from 'pg';
import { PostgresSecrets } from '../../packages/server/src/verification/postgres-secrets.ts';
import { openPatiently } from '../support/open-database.ts';
import { startPostgres } from '../support/postgres.ts';
import type { Names } from './attacks.ts';
import { type Buried, makeKey, verdictOf } from './graveyard.ts';

/** Dead and living keys in two workspaces on a PostgreSQL, and a superuser's connections to it. */
export interface PostgresGraveyard {
  dead: [Buried, Buried];
  living: [Buried, Buried];
  names: Names;
  /** The superuser's way in. */
  url: string;
  /**
   * Runs `work` in one transaction, which is undone in the end: the next one finds the same graves. Deferred triggers run
   * where a commit would run them.
   */
  inTransaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

export interface Transaction {
  /** All of it, or nothing. @throws what PostgreSQL says against it */
  attack(statements: readonly string[]): Promise<void>;
  /** What the verifier says of a key in here. */
  verify(apiKey: string): Promise<string>;
  rows(statement: string): Promise<Record<string, unknown>[]>;
}

/** Nothing is remembered, so nothing has to be guarded. */
const neverKeep = { beginRead: () => null, mayCache: () => false };

/** A server of its own, because a superuser attacks, too. */
export async function digPostgresGraves(): Promise<PostgresGraveyard> {
  const server = await startPostgres();
  const url = server.url();
  const keys = await bury(url);
  // One connection, so that the verifier reads in the very transaction of the attack.
  const pool = new pg.Pool({ connectionString: url, max: 1, types: numbers });
  const [dead] = keys.dead;
  const [living] = keys.living;
  return {
    ...keys,
    url,
    names: {
      id: `'${dead.id}'`,
      hash: dead.hashSql,
      livingId: `'${living.id}'`,
      livingHash: living.hashSql,
      strangeHash: "'\\x00'::bytea",
    },
    inTransaction: async (work) => {
      await pool.query('BEGIN');
      try {
        return await work(transactionOn(pool));
      } finally {
        await pool.query('ROLLBACK');
      }
    },
    stop: async () => {
      await pool.end();
      await server.stop();
    },
  };
}

const numbers: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format),
};

function transactionOn(pool: pg.Pool): Transaction {
  return {
    attack: async (statements) => {
      const client = await pool.connect();
      try {
        await client.query('SAVEPOINT before');
        for (const statement of statements) await client.query(statement);
        // A commit would run them now.
        await client.query('SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED');
      } catch (error) {
        await client.query('ROLLBACK TO before');
        throw error;
      } finally {
        client.release();
      }
    },
    verify: (apiKey) => verdictOf(new PostgresSecrets(pool, neverKeep, 'off'), apiKey),
    rows: async (statement) => (await pool.query(statement)).rows,
  };
}

async function bury(url: string): Promise<Pick<PostgresGraveyard, 'dead' | 'living'>> {
  const database = await openPatiently(url);
  try {
    const { kysely } = database;
    for (const id of ['ws_a', 'ws_b'])
      await kysely.insertInto('workspace').values({ id, name: id, created_at: 1 }).execute();
    const keys: Pick<PostgresGraveyard, 'dead' | 'living'> = {
      dead: [await makeKey(database, 'ws_a'), await makeKey(database, 'ws_b')],
      living: [await makeKey(database, 'ws_a'), await makeKey(database, 'ws_b')],
    };
    for (const { id } of keys.dead) {
      const dead = { revoked_at: 1_700_000_000_000, revoked_by: 'usr_1' };
      await kysely.updateTable('api_key').set(dead).where('id', '=', id).execute();
    }
    return keys;
  } finally {
    await database.close();
  }
}
