import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { syncDirectory } from '../durable-files.ts';
import { StartupError } from '../startup-error.ts';
import { requireOwnFile, requirePrivate } from './directory-access.ts';
import { DirectoryHold, takeoverWait } from './directory-hold.ts';
import { takeLock } from './directory-lock.ts';

/** What the process opens in it. The secret is checked when it is read, because SOKU_SECRET may take its place. */
const files = ['lock', 'lock.owner', 'revoked-hashes', 'dead-hashes'];
/** It may be another program's, and is made private when it is opened. */
const databaseFiles = ['soku.db', 'soku.db-wal', 'soku.db-shm'];

/**
 * The directory that holds everything one deployment has: the database and the generated secret.
 * Exactly one process may have it open, because verification caches what it read and only its own process
 * tells it of a revocation: a second one would go on accepting revoked keys.
 */
export interface DataDirectory {
  path: string;
  databaseFile: string;
  secretFile: string;
  /** Whether this process is still the only one that uses the directory. */
  hold: DirectoryHold;
  /**
   * Resolves when no other process can use the database any more: at once, or after 1.5 s when the lock did not cover
   * this database before, because somebody may have removed the lock of a process that still runs.
   *
   * @throws {StartupError} 73 when another process took the directory over meanwhile
   */
  settled(): Promise<void>;
  /** The database is open: from now on the hold covers its files, too. */
  cover(databaseFile: string): void;
  /** Lets go of the lock. The system does it too when the process dies, however it dies. */
  release(): void;
}

/**
 * Makes the directory when it is missing (mode 0700) and takes its lock.
 *
 * @param path SOKU_DATA_DIR, absolute or relative to the working directory
 * @throws {StartupError} 73 when it cannot be written or another process holds it
 */
export function openDataDirectory(path: string): DataDirectory {
  const directory = resolve(path);
  try {
    makeDirectory(directory);
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw notWritable(directory, error);
  }
  requirePrivate(directory);
  for (const name of files) requireOwnFile(join(directory, name), { tighten: true });
  for (const name of databaseFiles) requireOwnFile(join(directory, name), { tighten: false });
  const databaseFile = join(directory, 'soku.db');
  const lock = takeLock(directory, databaseFile);
  const hold = new DirectoryHold({ isLocked: () => lock.isHeld });
  hold.add(lock.file);
  return {
    path: directory,
    databaseFile,
    secretFile: join(directory, 'secret'),
    hold,
    settled: async () => {
      if (lock.coversDatabase) return;
      await wait(takeoverWait);
      requireOwn(directory, hold);
    },
    cover: (file) => {
      hold.add(file, `${file}-wal`, `${file}-shm`);
      lock.cover(file);
    },
    release: () => {
      hold.stop();
      lock.release();
    },
  };
}

/** Its parents only when it has none: Node's recursive mkdir never returns where a file system refuses to make any. */
function makeDirectory(directory: string): void {
  if (existsSync(directory)) return;
  const recursive = !existsSync(dirname(directory));
  const topmost = mkdirSync(directory, { recursive, mode: 0o700 }) ?? directory;
  // What is stored in it later is on the disk only when its own name is.
  for (let created = directory; ; created = dirname(created)) {
    syncDirectory(dirname(created));
    if (created === topmost) break;
  }
}

function requireOwn(directory: string, hold: DirectoryHold): void {
  try {
    hold.demand();
  } catch {
    throw new StartupError(
      'cannotCreate',
      `The lock of the data directory ${directory} was removed while this process started. Start it again, and do not remove the file lock.`,
    );
  }
}

function notWritable(directory: string, cause: unknown): StartupError {
  const reason = cause instanceof Error ? ` (${cause.message})` : '';
  return new StartupError(
    'cannotCreate',
    `The data directory ${directory} cannot be written${reason}. Give this user write access to it, or set SOKU_DATA_DIR, for example SOKU_DATA_DIR=/var/lib/soku.`,
  );
}
