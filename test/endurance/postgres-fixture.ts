import pg from 'pg';
import { createPool } from '../../packages/server/src/database/postgres-pool.ts';
import { PostgresSecrets } from '../../packages/server/src/verification/postgres-secrets.ts';
import { openWithLongTimeouts } from '../support/open-database.ts';
import { startPostgres } from '../support/postgres.ts';
import type { AttackTargets } from './attacks.ts';
import { insertActiveKey, type StoredKey, verifyWithoutCache } from './sqlite-fixture.ts';

/** A PostgreSQL database with revoked and active keys in two workspaces, and superuser connections to it. */
export interface PostgresFixture {
  revoked: [StoredKey, StoredKey];
  active: [StoredKey, StoredKey];
  targets: AttackTargets;
  /** Connects as a superuser. */
  url: string;
  /**
   * Runs `work` in one transaction and rolls it back, so that the next one starts with the same keys. Deferred triggers
   * run where a commit would run them.
   */
  inTransaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

export interface Transaction {
  /** Runs all statements or none. @throws the error of PostgreSQL */
  attack(statements: readonly string[]): Promise<void>;
  /** Verifies a key with the rows that this transaction sees; see `verifyWithoutCache`. */
  verify(apiKey: string): Promise<string>;
  rows(statement: string): Promise<Record<string, unknown>[]>;
}

/** Never caches anything. */
const neverCache = {
  beginRead: () => null,
  mayCache: () => false,
  trusts: () => true,
  whenTrusted: async () => true,
};

/** Starts a separate server, because the attacks also use a superuser. */
export async function startPostgresFixture(): Promise<PostgresFixture> {
  const server = await startPostgres();
  const url = server.url();
  const keys = await insertKeys(url);
  // A single connection, so that the verifier reads in the transaction of the attack.
  const pool = createPool({ connectionString: url, max: 1, types: numbers });
  const [revoked] = keys.revoked;
  const [active] = keys.active;
  return {
    ...keys,
    url,
    targets: {
      id: `'${revoked.id}'`,
      hash: revoked.hashSql,
      activeId: `'${active.id}'`,
      activeHash: active.hashSql,
      unusedHash: "'\\x00'::bytea",
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
        // Run the deferred triggers, as a commit would.
        await client.query('SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED');
      } catch (error) {
        await client.query('ROLLBACK TO before');
        throw error;
      } finally {
        client.release();
      }
    },
    verify: (apiKey) => verifyWithoutCache(new PostgresSecrets(pool, neverCache, 'off'), apiKey),
    rows: async (statement) => (await pool.query(statement)).rows,
  };
}

async function insertKeys(url: string): Promise<Pick<PostgresFixture, 'revoked' | 'active'>> {
  const database = await openWithLongTimeouts(url);
  try {
    const { kysely } = database;
    for (const id of ['ws_a', 'ws_b'])
      await kysely.insertInto('workspace').values({ id, name: id, created_at: 1 }).execute();
    const keys: Pick<PostgresFixture, 'revoked' | 'active'> = {
      revoked: [await insertActiveKey(database, 'ws_a'), await insertActiveKey(database, 'ws_b')],
      active: [await insertActiveKey(database, 'ws_a'), await insertActiveKey(database, 'ws_b')],
    };
    for (const { id } of keys.revoked) {
      const revocation = { revoked_at: 1_700_000_000_000, revoked_by: 'usr_1' };
      await kysely.updateTable('api_key').set(revocation).where('id', '=', id).execute();
    }
    return keys;
  } finally {
    await database.close();
  }
}
