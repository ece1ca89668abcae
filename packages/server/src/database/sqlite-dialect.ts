import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import {
  type DatabaseConnection,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  type SqliteStatement,
} from 'kysely';
import { type GuardedWrites, unguardedWrites } from './guarded-writes.ts';

/** node:sqlite binds neither booleans nor dates; the auth library sends both. */
function bindable(value: unknown): SQLInputValue {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value instanceof Date) return value.toISOString();
  if (value === undefined) return null;
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') {
    return value;
  }
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`SQLite cannot store a ${typeof value}`);
}

function adaptStatement(statement: StatementSync, guard: GuardedWrites): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => guard.run(() => statement.all(...parameters.map(bindable))),
    run: (parameters) => guard.run(() => statement.run(...parameters.map(bindable))),
    iterate: (parameters) => statement.iterate(...parameters.map(bindable)),
  };
}

const readsOnly = /^\s*select\b/i;

/** Adapts node:sqlite to the interface of better-sqlite3, which Kysely expects. */
function adaptDatabase(database: DatabaseSync, guard: GuardedWrites): SqliteDatabase {
  return {
    close: () => database.close(),
    prepare: (text) => {
      if (!readsOnly.test(text)) guard.beforeWrite();
      return guard.run(() => adaptStatement(database.prepare(text), guard));
    },
  };
}

/** Kysely's driver, which uses the connection only while this process holds its data directory. */
class GuardedDriver extends SqliteDriver {
  readonly #database: DatabaseSync;
  readonly #guard: GuardedWrites;

  constructor(database: DatabaseSync, guard: GuardedWrites) {
    super({ database: adaptDatabase(database, guard) });
    this.#database = database;
    this.#guard = guard;
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection();
    try {
      this.#guard.beforeUse();
      return connection;
    } catch (error) {
      await super.releaseConnection();
      throw error;
    }
  }

  /** At this point the writes are committed but not yet acknowledged. */
  override async releaseConnection(): Promise<void> {
    await super.releaseConnection();
    this.#guard.afterUse();
  }

  /** On a full disk SQLite rolls back on its own. The error of a second rollback would hide the cause. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction) await super.rollbackTransaction(connection);
  }
}

/** SQLite does roll back DDL, although Kysely's adapter denies it. This makes migrations atomic. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** Kysely's SQLite dialect on one writing connection of node:sqlite. */
export class NodeSqliteDialect extends SqliteDialect {
  readonly #database: DatabaseSync;
  readonly #guard: GuardedWrites;

  /** @param guard for a database in use; a file that no other process uses needs none */
  constructor(database: DatabaseSync, guard: GuardedWrites = unguardedWrites) {
    super({ database: adaptDatabase(database, guard) });
    this.#database = database;
    this.#guard = guard;
  }

  override createDriver(): SqliteDriver {
    return new GuardedDriver(this.#database, this.#guard);
  }

  override createAdapter(): TransactionalSqliteAdapter {
    return new TransactionalSqliteAdapter();
  }
}
