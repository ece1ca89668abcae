import { chmodSync, constants, copyFileSync, existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { type DataDirectory, openDataDirectory } from '../database/data-directory.ts';
import { migrate } from '../database/migrate.ts';
import { type Database, openDatabase } from '../database/open.ts';
import type { Tables } from '../database/schema.ts';
import { NodeSqliteDialect } from '../database/sqlite-dialect.ts';
import { isDamage } from '../database/sqlite-errors.ts';
import type { Killed } from '../journal/compare.ts';
import { DeadHashJournal } from '../journal/journal.ts';
import { StartupError } from '../startup-error.ts';
import { checkBackup, type Label, partialName, place, removeDatabase, writeBackup } from './backup-file.ts';
import type { Progress } from './copy.ts';
import { openFile } from './source.ts';
import { tables } from './tables.ts';

interface Tools {
  log: Logger;
  progress: Progress;
}

/** What was written, and what the journal of the data directory killed in it. */
interface Restored {
  label: Label;
  killed: Killed;
}

/**
 * Writes a backup into an empty database: a fresh data directory, or an empty PostgreSQL.
 *
 * @param file absolute
 * @throws {StartupError} when the backup is not whole or the database is not empty; it stays as it was then
 */
export async function restore(config: Config, file: string, tools: Tools): Promise<Restored> {
  if (!existsSync(file)) throw new StartupError('data', `There is no file ${file}.`);
  const directory = openDataDirectory(config.dataDir);
  try {
    return await fill(config, directory, tools, async (partial) => {
      copyFileSync(file, partial, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      chmodSync(partial, 0o600);
      const label = await checkCopy(partial, file);
      endSessions(partial);
      return label;
    });
  } finally {
    directory.release();
  }
}

/**
 * Copies the file of a data directory into the empty PostgreSQL of DATABASE_URL. The file stays as it is.
 *
 * @throws {StartupError} when a server is running, or the database is not empty; it stays as it was then
 */
export async function moveToPostgres(config: Config, tools: Tools): Promise<Restored> {
  if (config.databaseUrl === undefined) {
    throw new StartupError('configuration', 'DATABASE_URL is not set, so there is nowhere to move to.');
  }
  const directory = openDataDirectory(config.dataDir);
  try {
    return await fill(config, directory, tools, async (partial) => {
      const source = openFile(directory.databaseFile);
      try {
        return await writeBackup(source, partial, tools.progress);
      } finally {
        await source.close();
      }
    });
  } finally {
    directory.release();
  }
}

/** @param stage writes a backup to this name in the data directory, and checks it */
async function fill(
  config: Config,
  directory: DataDirectory,
  { log, progress }: Tools,
  stage: (partial: string) => Promise<Label>,
): Promise<Restored> {
  const partial = partialName(directory.databaseFile);
  let database: Database | undefined;
  try {
    if (config.databaseUrl === undefined) await requireNoFile(directory);
    const label = await stage(partial);
    await makeCurrent(partial);
    if (config.databaseUrl === undefined) {
      removeDatabase(directory.databaseFile);
      place(partial, directory.databaseFile);
    }
    database = await openDatabase(directory, config.databaseUrl, log);
    if (database.kind === 'postgres') {
      const { fillPostgres } = await import('./fill-postgres.ts');
      await fillPostgres(database, partial, progress);
    }
    const killed = await new DeadHashJournal(directory.path, database, log).settle();
    return { label, killed };
  } finally {
    removeDatabase(partial);
    await database?.close();
  }
}

/** Checks a copy of a backup. @param file what the operator calls it */
async function checkCopy(partial: string, file: string): Promise<Label> {
  const database = new DatabaseSync(partial, { readOnly: true });
  try {
    return await checkBackup(database, file);
  } catch (error) {
    throw isDamage(error) ? new StartupError('data', `${file} is damaged, or no backup.`) : error;
  } finally {
    database.close();
  }
}

/** Somebody may have signed out since the backup, or been signed out because a session was stolen. */
function endSessions(partial: string): void {
  const database = new DatabaseSync(partial);
  try {
    database.exec('DELETE FROM session; DELETE FROM verification');
  } finally {
    database.close();
  }
}

/** Makes a database in use of a backup: without its label, and with the newest schema. */
async function makeCurrent(partial: string): Promise<void> {
  // Refuses one of a newer version.
  await openFile(partial).close();
  const database = new DatabaseSync(partial);
  try {
    database.exec('DROP TABLE soku_backup');
    await migrate(new Kysely<Tables>({ dialect: new NodeSqliteDialect(database) }));
  } finally {
    database.close();
  }
}

/** A file of a start that made nothing yet may be replaced. */
async function requireNoFile({ databaseFile: file }: DataDirectory): Promise<void> {
  // A log without its file would be taken for that of the restored one.
  const log = `${file}-wal`;
  if (!existsSync(file)) {
    if (existsSync(log)) throw inTheWay(log, 'belongs to the database that was moved away');
    return;
  }
  const source = openFile(file);
  try {
    for (const table of Object.keys(tables)) {
      const columns = await source.side.columns(table);
      if (columns.length === 0) continue;
      for await (const _ of source.side.rows(table, columns, columns)) {
        throw inTheWay(file, `is not empty (${table})`);
      }
    }
  } finally {
    await source.close();
  }
}

function inTheWay(file: string, why: string): StartupError {
  return new StartupError(
    'cannotCreate',
    `${file} ${why}. Nothing was changed. Move soku.db, soku.db-wal and soku.db-shm to another directory, and leave the file dead-hashes where it is.`,
  );
}
