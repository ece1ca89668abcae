import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import type { DataDirectory } from './data-directory.ts';
import type { Hold } from './directory-hold.ts';
import { guardWrites } from './guarded-writes.ts';
import { migrate, migrations } from './migrate.ts';
import type { Tables } from './schema.ts';
import { checkDatabaseFile, locked } from './sqlite-check.ts';
import { NodeSqliteDialect } from './sqlite-dialect.ts';
import { isBusy } from './sqlite-errors.ts';
import { checkSqliteSchema } from './sqlite-schema.ts';
import { StorageHealth } from './storage-health.ts';

/**
 * How long a statement waits when another program has locked the file, in ms. No process of ours does, so this is
 * about tools of the operator; and the whole process stands still meanwhile, verification too.
 */
const lockTimeout = 1000;

/** Without the statements that can rewrite the schema or its files beside SQLite's own rules. */
const connectionOptions = { timeout: lockTimeout, defensive: true };

/** What a transaction may cost. */
interface Terms {
  /** How long it waits when another program has locked the file, in ms; 0 for what can be done later. */
  patience: number;
  /**
   * Whether it has to survive a power cut. When not, the commit does not wait for the disk, and is on it with the next
   * one that does; a crash of the process takes neither away.
   */
  durable: boolean;
}

/** The embedded database: one file, and this process has it alone. */
export interface SqliteDatabase {
  kind: 'sqlite';
  /** For everything that may take its time. */
  kysely: Kysely<Tables>;
  /**
   * Runs SQL on the writing connection in one synchronous transaction.
   *
   * @param work gets the connection inside BEGIN IMMEDIATE; what it throws rolls back and is thrown on
   * @param committed is called in the very turn of the commit, before any other code of this process runs
   */
  transact<T>(
    work: (connection: DatabaseSync) => T,
    committed: (result: T) => void,
    terms?: Partial<Terms>,
  ): Promise<T>;
  /** A connection that only reads, and so sees nothing that is not committed. For prepared statements. */
  reader: DatabaseSync;
  /** Whether this is still the only process that uses the data directory. */
  hold: Hold;
  /** @throws when it does not answer, or nothing could be stored in it at the moment */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the embedded SQLite database, checked and migrated.
 *
 * @throws {StartupError} 65 when the file is damaged or newer than this program, or its schema was changed by hand
 */
export async function openSqlite(directory: DataDirectory): Promise<SqliteDatabase> {
  const applied = checkDatabaseFile(directory);
  const writer = openWriter(directory.databaseFile);
  const health = new StorageHealth({
    directory: directory.path,
    hold: directory.hold,
    writeDatabase: () => writeSomething(database),
  });
  const guard = guardWrites(directory.hold, (failure) => health.failed(failure));
  const kysely = new Kysely<Tables>({ dialect: new NodeSqliteDialect(writer, guard) });
  if (applied.length < Object.keys(migrations).length) {
    try {
      await migrate(kysely);
      checkSqliteSchema(writer, directory.databaseFile);
      // What a migration wiped, such as session tokens, is still in the log of a process that was killed.
      writer.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch (error) {
      writer.close();
      throw error;
    }
  }
  const reader = new DatabaseSync(directory.databaseFile, { ...connectionOptions, readOnly: true });
  reader.exec('PRAGMA trusted_schema = OFF');
  // The first read creates the files beside the database.
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
    hold: directory.hold,
    transact: (work, committed, { patience = lockTimeout, durable = true } = {}) =>
      transact(kysely, writer, { patience, durable }, () => {
        guard.beforeWrite();
        return guard.run(() => inTransaction(writer, work, committed));
      }),
    close: async () => {
      reader.close();
      await kysely.destroy();
      // Kysely closes the connection only when it has run a query.
      if (writer.isOpen) writer.close();
    },
  };
  return database;
}

/** Writes a number again that nothing uses: a page of the log, and no wait for the disk. */
function writeSomething(database: SqliteDatabase): Promise<void> {
  const terms = { patience: 0, durable: false };
  const write = (connection: DatabaseSync) => {
    const version = Number(connection.prepare('PRAGMA user_version').get()?.user_version);
    connection.exec(`PRAGMA user_version = ${version}`);
  };
  return database.transact(write, () => undefined, terms);
}

function openWriter(file: string): DatabaseSync {
  const writer = new DatabaseSync(file, connectionOptions);
  chmodSync(file, 0o600);
  try {
    // FULL: an acknowledged revoke must survive a power cut. The last two hold the triggers' promises.
    writer.exec(`
      PRAGMA trusted_schema = OFF;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA foreign_keys = ON;
      PRAGMA recursive_triggers = ON;
    `);
  } catch (error) {
    writer.close();
    throw isBusy(error) ? locked(file) : error;
  }
  return writer;
}

/** Holds Kysely's turn on the connection, so that the statements never land inside somebody's open transaction. */
function transact<T>(
  kysely: Kysely<Tables>,
  writer: DatabaseSync,
  terms: Terms,
  transaction: () => T,
): Promise<T> {
  return kysely.connection().execute(async () => {
    setTerms(writer, terms);
    try {
      return transaction();
    } finally {
      setTerms(writer, { patience: lockTimeout, durable: true });
    }
  });
}

function setTerms(writer: DatabaseSync, { patience, durable }: Terms): void {
  writer.exec(`PRAGMA busy_timeout = ${patience}; PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`);
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
