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
import type { ReapplyResult } from '../journal/compare.ts';
import { RevokedHashFile } from '../journal/file.ts';
import { RevocationJournal } from '../journal/journal.ts';
import { StartupError } from '../startup-error.ts';
import {
  type BackupLabel,
  moveBackupIntoPlace,
  openBackup,
  removeDatabase,
  requireSameContent,
  writeBackup,
} from './backup-file.ts';
import type { Progress } from './copy.ts';
import { explainDiskError } from './disk-error.ts';
import { openSqliteSource } from './source.ts';
import { databaseTables } from './tables.ts';

interface Tools {
  log: Logger;
  progress: Progress;
}

interface Restored {
  /** Describes what was written. */
  label: BackupLabel;
  /** What was revoked again from the revocation journal of the data directory; undefined if there is no journal. */
  reapplied: ReapplyResult | undefined;
  /** Whether the end of the journal was incomplete. */
  truncated: boolean;
}

/**
 * Restores a backup to an empty database: a fresh data directory, or an empty PostgreSQL database.
 *
 * @param file an absolute path
 * @throws {StartupError} if the backup is incomplete or the database is not empty. The database is unchanged then.
 */
export async function restore(config: Config, file: string, tools: Tools): Promise<Restored> {
  requireReadable(file);
  const failed = `The backup ${file} could not be restored`;
  return fill(config, { action: 'backup.restored', failed }, tools, async (partial) => {
    const { source, label } = openBackup(file);
    try {
      // Combines a fresh schema with the rows of the backup, whose triggers, views and indexes are not trusted.
      const { content } = await writeBackup(source, partial, tools.progress, { indexed: true });
      // Backups of earlier versions also contain sessions. These are not restored, because a user may have signed out
      // since, or have been signed out because a session was stolen.
      const { session, verification, ...expected } = label.content;
      requireSameContent(file, expected, content);
    } finally {
      await source.close();
    }
    return label;
  });
}

/**
 * Copies the database file of a data directory to the empty PostgreSQL database of DATABASE_URL. The file is unchanged.
 *
 * @throws {StartupError} if a server is running, or the database is not empty. The database is unchanged then.
 */
export async function moveToPostgres(config: Config, tools: Tools): Promise<Restored> {
  if (config.databaseUrl === undefined) {
    throw new StartupError('configuration', 'DATABASE_URL is not set. Set it to the database to move to.');
  }
  const failed = 'The database could not be moved';
  return fill(config, { action: 'database.moved', failed }, tools, async (partial, { databaseFile }) => {
    const source = openSqliteSource(databaseFile);
    try {
      return await writeBackup(source, partial, tools.progress, { copied: databaseTables, indexed: true });
    } finally {
      await source.close();
    }
  });
}

/** Writes a backup to a temporary name in the data directory, and verifies it. */
type Stage = (partial: string, directory: DataDirectory) => Promise<BackupLabel>;

/** Fills the empty database. @param command the action to record, and the message if it fails */
async function fill(
  config: Config,
  { action, failed }: { action: Action; failed: string },
  tools: Tools,
  stage: Stage,
): Promise<Restored> {
  const directory = openDataDirectory(config.dataDir, { holdsDatabase: config.databaseUrl === undefined });
  const partial = partialName(directory.databaseFile);
  try {
    await directory.settled();
    const journal = new RevokedHashFile(directory.path);
    // A damaged journal or an existing database stops the command before any work.
    const { count, truncated } = await journal.inspect();
    await journal.readAll();
    await requireEmpty(config, directory, tools);
    const label = await stage(partial, directory);
    // This comes before the database is visible, because later steps could fail while a server already uses it.
    const reapplied = await prepareForUse(partial, directory, tools, eventOf(action, label));
    await install(config, directory, partial, tools);
    return { label, reapplied: count > 0 ? reapplied : undefined, truncated };
  } catch (error) {
    throw explainDiskError(error, { failed, now: 'The database is unchanged.' });
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
  const { requireEmptyPostgres } = await import('./copy-to-postgres.ts');
  await requireEmptyPostgres(databaseUrl, log);
}

/** The first event in the restored database after those of the backup. */
function eventOf(action: Action, { made_at }: BackupLabel): NewEvent {
  return {
    chain: accountsChain,
    at: Date.now(),
    actor: operatorActor(),
    action,
    target: { kind: 'deployment', id: 'deployment', name: 'Soku' },
    ...(action === 'backup.restored' && { details: { backupOf: made_at } }),
  };
}

/** Atomically installs the complete database. */
async function install(
  { databaseUrl }: Config,
  { databaseFile }: DataDirectory,
  partial: string,
  { log, progress }: Tools,
): Promise<void> {
  if (databaseUrl === undefined) {
    removeDatabase(databaseFile);
    moveBackupIntoPlace(partial, databaseFile);
    return;
  }
  const { openPostgres } = await import('../database/postgres.ts');
  const { copyToPostgres } = await import('./copy-to-postgres.ts');
  const database = await openPostgres(databaseUrl, log);
  try {
    await copyToPostgres(database, partial, progress);
  } finally {
    await database.close();
  }
}

/** @throws {StartupError} 65 if the file is missing, unreadable or not a file */
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
  if (found === undefined) throw new StartupError('data', `${file} does not exist.`);
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
 * Turns a backup into a usable database: removes its label, migrates it to the newest schema, and revokes every key
 * that is revoked in the backup or in the journal. Afterwards the journal has all of them, too.
 */
async function prepareForUse(
  partial: string,
  directory: DataDirectory,
  { log }: Tools,
  event: NewEvent,
): Promise<ReapplyResult> {
  // Rejects a backup of a newer version.
  await openSqliteSource(partial).close();
  // A revoke reads its hashes back from dead_hash. If they were missing, a revoked key could not be revoked again.
  change(
    partial,
    `DROP TABLE soku_backup;
     INSERT OR IGNORE INTO dead_hash (hash)
       SELECT s.hash FROM api_key_secret s JOIN api_key k ON k.id = s.key_id WHERE k.revoked_at IS NOT NULL`,
  );
  const database = await openSqlite({ ...directory, databaseFile: partial });
  try {
    // The same applies to retired secrets.
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

/** Requires that there is no database file, or one without rows, which may be replaced. */
async function requireNoFile({ databaseFile: file }: DataDirectory): Promise<void> {
  // SQLite would apply a leftover write-ahead log of another database to the restored one.
  const log = `${file}-wal`;
  if (!existsSync(file)) {
    if (existsSync(log)) throw inTheWay(log, 'belongs to the database that was moved away');
    return;
  }
  const source = openSqliteSource(file);
  try {
    for (const table of Object.keys(databaseTables)) {
      const columns = await source.endpoint.columns(table);
      if (columns.length === 0) continue;
      for await (const _ of source.endpoint.rows(table, columns, columns)) {
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
    `${file} ${why}. Nothing was changed. Move soku.db, soku.db-wal and soku.db-shm to another directory, but leave the file revoked-hashes in place.`,
  );
}
