import { accessSync, constants, existsSync, type Stats, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Action } from '@soku/contract/audit';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { type DataDirectory, openDataDirectory } from '../database/data-directory.ts';
import { openSqlite } from '../database/sqlite.ts';
import { partialName } from '../durable-files.ts';
import { operatorActor } from '../events/actor.ts';
import { accountsChain, appendEvent, type NewEvent } from '../events/events.ts';
import type { Reapplied } from '../journal/compare.ts';
import { RevokedHashFile } from '../journal/file.ts';
import { RevocationJournal } from '../journal/journal.ts';
import { StartupError } from '../startup-error.ts';
import { type Label, openBackup, place, removeDatabase, requireSame, writeBackup } from './backup-file.ts';
import type { Progress } from './copy.ts';
import { refusedByDisk } from './failure.ts';
import { openFile } from './source.ts';
import { tables } from './tables.ts';

interface Tools {
  log: Logger;
  progress: Progress;
}

interface Restored {
  /** What was written. */
  label: Label;
  /** What the revocation journal of the data directory revoked in it; undefined when there is no journal. */
  reapplied: Reapplied | undefined;
  /** Whether the end of the journal was incomplete. */
  truncated: boolean;
}

/**
 * Writes a backup into an empty database: a fresh data directory, or an empty PostgreSQL.
 *
 * @param file absolute
 * @throws {StartupError} when the backup is not whole or the database is not empty; it stays as it was then
 */
export async function restore(config: Config, file: string, tools: Tools): Promise<Restored> {
  requireReadable(file);
  const failed = `The backup ${file} could not be restored`;
  return fill(config, { action: 'backup.restored', failed }, tools, async (partial) => {
    const { source, label } = openBackup(file);
    try {
      // A fresh schema and the backup's rows: its triggers, views and indexes may be anybody's.
      const { content } = await writeBackup(source, partial, tools.progress);
      // Backups of earlier versions hold sessions, too. They are not restored: somebody may have signed out since, or
      // been signed out because a session was stolen.
      const { session, verification, ...expected } = label.content;
      requireSame(file, expected, content);
    } finally {
      await source.close();
    }
    return label;
  });
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
  const failed = 'The database could not be moved';
  return fill(config, { action: 'database.moved', failed }, tools, async (partial, { databaseFile }) => {
    const source = openFile(databaseFile);
    try {
      return await writeBackup(source, partial, tools.progress, tables);
    } finally {
      await source.close();
    }
  });
}

/** Writes a backup to a name in the data directory, and checks it. */
type Stage = (partial: string, directory: DataDirectory) => Promise<Label>;

/** @param command its action, and how its failure is told */
async function fill(
  config: Config,
  { action, failed }: { action: Action; failed: string },
  tools: Tools,
  stage: Stage,
): Promise<Restored> {
  const directory = openDataDirectory(config.dataDir);
  const partial = partialName(directory.databaseFile);
  try {
    await directory.settled();
    const journal = new RevokedHashFile(directory.path);
    // What is damaged, or in the way, refuses before any work.
    const { count, truncated } = await journal.inspect();
    await journal.readAll();
    await requireEmpty(config, directory, tools);
    const label = await stage(partial, directory);
    // Before anybody can see it: what is left for later could fail, and a server may be running on it already.
    const reapplied = await makeCurrent(partial, directory, tools, eventOf(action, label));
    await put(config, directory, partial, tools);
    return { label, reapplied: count > 0 ? reapplied : undefined, truncated };
  } catch (error) {
    throw refusedByDisk(error, { failed, now: 'The database stays as it was.' });
  } finally {
    removeDatabase(partial);
    directory.release();
  }
}

async function requireEmpty(
  { databaseUrl }: Config,
  directory: DataDirectory,
  { log }: Tools,
): Promise<void> {
  if (databaseUrl === undefined) return requireNoFile(directory);
  const { requireEmptyPostgres } = await import('./fill-postgres.ts');
  await requireEmptyPostgres(databaseUrl, log);
}

/** In the restored database, as the first event after those of the backup. */
function eventOf(action: Action, { made_at }: Label): NewEvent {
  return {
    chain: accountsChain,
    at: Date.now(),
    actor: operatorActor(),
    action,
    target: { kind: 'deployment', id: 'deployment', name: 'Soku' },
    ...(action === 'backup.restored' && { details: { backupOf: made_at } }),
  };
}

/** Makes it the database, as a whole. */
async function put(
  { databaseUrl }: Config,
  { databaseFile }: DataDirectory,
  partial: string,
  { log, progress }: Tools,
): Promise<void> {
  if (databaseUrl === undefined) {
    removeDatabase(databaseFile);
    place(partial, databaseFile);
    return;
  }
  const { openPostgres } = await import('../database/postgres.ts');
  const { fillPostgres } = await import('./fill-postgres.ts');
  const database = await openPostgres(databaseUrl, log);
  try {
    await fillPostgres(database, partial, progress);
  } finally {
    await database.close();
  }
}

/** @throws {StartupError} 65 when it cannot be a backup */
function requireReadable(file: string): void {
  let found: Stats | undefined;
  try {
    found = statSync(file, { throwIfNoEntry: false });
    if (found !== undefined) accessSync(file, constants.R_OK);
  } catch (error) {
    throw new StartupError(
      'data',
      `${file} cannot be read (${error instanceof Error ? error.message : ''}).`,
    );
  }
  if (found === undefined) throw new StartupError('data', `There is no file ${file}.`);
  if (!found.isFile()) throw new StartupError('data', `${file} is not a file.`);
}

function change(partial: string, statements: string): void {
  const database = new DatabaseSync(partial);
  try {
    database.exec(statements);
  } finally {
    database.close();
  }
}

/**
 * Makes a database in use of a backup: without its label, with the newest schema, and with every key revoked that is
 * revoked in it or in the journal, which has all of them then.
 */
async function makeCurrent(
  partial: string,
  directory: DataDirectory,
  { log }: Tools,
  event: NewEvent,
): Promise<Reapplied> {
  // Refuses one of a newer version.
  await openFile(partial).close();
  // A revoke reads its dead hashes back, so a key that was revoked without them could never be revoked again.
  change(
    partial,
    `DROP TABLE soku_backup;
     INSERT OR IGNORE INTO dead_hash (hash)
       SELECT s.hash FROM api_key_secret s JOIN api_key k ON k.id = s.key_id WHERE k.revoked_at IS NOT NULL`,
  );
  const database = await openSqlite({ ...directory, databaseFile: partial });
  try {
    // Likewise of each secret that was retired.
    await database.kysely
      .insertInto('dead_hash')
      .columns(['hash'])
      .expression((eb) => eb.selectFrom('api_key_secret').select('hash').where('retired_at', 'is not', null))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    await appendEvent(database.kysely, event);
    return await new RevocationJournal(directory, database, log).reconcile();
  } finally {
    await database.close();
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
    `${file} ${why}. Nothing was changed. Move soku.db, soku.db-wal and soku.db-shm to another directory, and leave the file revoked-hashes where it is.`,
  );
}
