import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import type { DataDirectory } from './data-directory.ts';
import type { LockMonitor } from './directory-lock-monitor.ts';
import { guardWrites } from './guarded-writes.ts';
import { migrate, migrations } from './migrate.ts';
import type { Tables } from './schema.ts';
import { checkDatabaseFile, databaseLocked } from './sqlite-check.ts';
import { NodeSqliteDialect } from './sqlite-dialect.ts';
import { isBusy } from './sqlite-errors.ts';
import { checkSqliteSchema } from './sqlite-schema.ts';
import { StorageHealth } from './storage-health.ts';

/**
 * How long a statement waits when another program has locked the file, in ms. No other Soku process does that, so this
 * concerns tools of the operator. The whole process, including verification, is blocked meanwhile.
 */
const lockTimeout = 1000;

/** `defensive` disables statements that could rewrite the schema or the files and bypass SQLite's own rules. */
const connectionOptions = { timeout: lockTimeout, defensive: true };

/** How long a transaction may wait for a lock, and whether it waits for the disk. */
interface WriteOptions {
  /** How long it waits when another program has locked the file, in ms; 0 for work that can be done later. */
  lockTimeoutMs: number;
  /**
   * Whether it must survive a power failure. If not, the commit does not wait for the disk and becomes durable with the
   * next one that does. A crash of the process loses neither.
   */
  durable: boolean;
}

/** The embedded database: one file, used only by this process. */
export interface SqliteDatabase {
  kind: 'sqlite';
  /** For all work that is not time-critical. */
  kysely: Kysely<Tables>;
  /**
   * Runs SQL on the writing connection in one synchronous transaction.
   *
   * @param work receives the connection inside BEGIN IMMEDIATE. An error rolls back and is rethrown
   * @param committed called in the event-loop turn of the commit, before any other code of this process runs
   */
  transact<T>(
    work: (connection: DatabaseSync) => T,
    committed: (result: T) => void,
    options?: Partial<WriteOptions>,
  ): Promise<T>;
  /** A read-only connection for prepared statements. It sees only committed data. */
  reader: DatabaseSync;
  /** Whether this process is still the only user of the data directory. */
  lockMonitor: LockMonitor;
  /** @throws when the database does not respond or cannot store data at the moment */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens, checks and migrates the embedded SQLite database.
 *
 * @throws {StartupError} 65 when the file is damaged or newer than this program, or its schema was changed by hand
 */
export async function openSqlite(directory: DataDirectory): Promise<SqliteDatabase> {
  const applied = checkDatabaseFile(directory);
  const writer = openWriter(directory.databaseFile);
  const health = new StorageHealth({
    directory: directory.path,
    lockMonitor: directory.lockMonitor,
    writeDatabase: () => writeSomething(database),
  });
  const guard = guardWrites(directory.lockMonitor, (failure) => health.failed(failure));
  const kysely = new Kysely<Tables>({ dialect: new NodeSqliteDialect(writer, guard) });
  if (applied.length < Object.keys(migrations).length) {
    try {
      await migrate(kysely);
      checkSqliteSchema(writer, directory.databaseFile);
      // Otherwise data that a migration deleted, such as session tokens, could remain in the write-ahead log.
      writer.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch (error) {
      writer.close();
      throw error;
    }
  }
  const reader = new DatabaseSync(directory.databaseFile, { ...connectionOptions, readOnly: true });
  reader.exec('PRAGMA trusted_schema = OFF');
  // The first read creates the files -wal and -shm beside the database, which `cover` needs.
  reader.prepare('SELECT 1 FROM sqlite_schema').get();
  directory.cover(directory.databaseFile);
  const database: SqliteDatabase = {
    kind: 'sqlite',
    kysely,
    reader,
    ping: async () => {
      reader.prepare('SELECT 1').get();
      await health.check();
    },
    lockMonitor: directory.lockMonitor,
    transact: (work, committed, { lockTimeoutMs = lockTimeout, durable = true } = {}) =>
      transact(kysely, writer, { lockTimeoutMs, durable }, () => {
        guard.beforeWrite();
        return guard.run(() => inTransaction(writer, work, committed));
      }),
    close: async () => {
      reader.close();
      await kysely.destroy();
      // Kysely closes the connection only if it has run a query.
      if (writer.isOpen) writer.close();
    },
  };
  return database;
}

/** Rewrites `user_version`, which Soku does not use. This writes one page of the log and does not wait for the disk. */
function writeSomething(database: SqliteDatabase): Promise<void> {
  const options = { lockTimeoutMs: 0, durable: false };
  const write = (connection: DatabaseSync) => {
    const version = Number(connection.prepare('PRAGMA user_version').get()?.user_version);
    connection.exec(`PRAGMA user_version = ${version}`);
  };
  return database.transact(write, () => undefined, options);
}

function openWriter(file: string): DatabaseSync {
  const writer = new DatabaseSync(file, connectionOptions);
  chmodSync(file, 0o600);
  try {
    // FULL, because an acknowledged revoke must survive a power failure. The last two keep the triggers effective.
    writer.exec(`
      PRAGMA trusted_schema = OFF;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA foreign_keys = ON;
      PRAGMA recursive_triggers = ON;
    `);
  } catch (error) {
    writer.close();
    throw isBusy(error) ? databaseLocked(file) : error;
  }
  return writer;
}

/** Waits until Kysely lends the connection, so that the statements never run inside another open transaction. */
function transact<T>(
  kysely: Kysely<Tables>,
  writer: DatabaseSync,
  options: WriteOptions,
  transaction: () => T,
): Promise<T> {
  return kysely.connection().execute(async () => {
    setWriteOptions(writer, options);
    try {
      return transaction();
    } finally {
      setWriteOptions(writer, { lockTimeoutMs: lockTimeout, durable: true });
    }
  });
}

function setWriteOptions(writer: DatabaseSync, { lockTimeoutMs, durable }: WriteOptions): void {
  writer.exec(`PRAGMA busy_timeout = ${lockTimeoutMs}; PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`);
}

function inTransaction<T>(
  writer: DatabaseSync,
  work: (connection: DatabaseSync) => T,
  committed: (result: T) => void,
): T {
  writer.exec('BEGIN IMMEDIATE');
  let result: T;
  try {
    result = work(writer);
    writer.exec('COMMIT');
  } catch (error) {
    if (writer.isTransaction) writer.exec('ROLLBACK');
    throw error;
  }
  committed(result);
  return result;
}
