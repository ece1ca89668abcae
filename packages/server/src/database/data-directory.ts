import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { syncDirectory } from '../durable-files.ts';
import { StartupError } from '../startup-error.ts';
import { requireOwnFile, requirePrivateDirectory } from './directory-access.ts';
import { takeLock } from './directory-lock.ts';
import { DirectoryLockMonitor, takeoverDelayMs } from './directory-lock-monitor.ts';
import { type Volume, volumeOf } from './volume.ts';

/** Files that the process opens in it. The secret is checked when it is read, because SOKU_SECRET may replace it. */
const files = ['lock', 'lock.owner', 'revoked-hashes', 'dead-hashes'];
/** These may belong to another program, so they are made private only when they are opened. */
const databaseFiles = ['soku.db', 'soku.db-wal', 'soku.db-shm'];

/**
 * The directory with all data of a deployment: the database and the generated secret. Only one process may use it,
 * because each process caches keys and evicts only those that it revokes itself: a second process would continue to
 * accept revoked keys.
 */
export interface DataDirectory {
  path: string;
  volume: Volume;
  /** Why it could not be checked that the lock works on this volume. */
  lockUnchecked: string | undefined;
  databaseFile: string;
  secretFile: string;
  /** Whether this process is still the only one that uses the directory. */
  lockMonitor: DirectoryLockMonitor;
  /**
   * Resolves when no other process can still use the database: immediately, or after 1.5 s when the lock did not cover
   * this database before, because the lock of a process that still runs may have been removed.
   *
   * @throws {StartupError} 73 when another process took over the directory meanwhile
   */
  settled(): Promise<void>;
  /** Call this when the database is open, so that the lock monitor covers its files too. */
  cover(databaseFile: string): void;
  /** Releases the lock. The operating system also does so when the process ends for any reason. */
  release(): void;
}

/**
 * Creates the directory if it is missing (mode 0700) and takes its lock.
 *
 * @param path SOKU_DATA_DIR, absolute or relative to the working directory
 * @param holdsDatabase false with PostgreSQL: then no cache depends on the lock
 * @throws {StartupError} 73 when it cannot be written, another process holds it, or its file system is unsuitable
 */
export function openDataDirectory(
  path: string,
  { holdsDatabase = true }: { holdsDatabase?: boolean } = {},
): DataDirectory {
  const directory = resolve(path);
  try {
    makeDirectory(directory);
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw notWritable(directory, error);
  }
  requirePrivateDirectory(directory);
  for (const name of files) requireOwnFile(join(directory, name), { tighten: true });
  for (const name of databaseFiles) requireOwnFile(join(directory, name), { tighten: false });
  const volume = volumeOf(directory);
  if (volume.kind === 'network' && holdsDatabase) throw onNetwork(directory, volume);
  const databaseFile = join(directory, 'soku.db');
  const lock = takeLock(directory, databaseFile, { isTrusted: volume.kind === 'local' });
  const lockMonitor = new DirectoryLockMonitor({ isLocked: () => lock.isHeld });
  lockMonitor.add(lock.file);
  return {
    path: directory,
    volume,
    lockUnchecked: lock.unchecked,
    databaseFile,
    secretFile: join(directory, 'secret'),
    lockMonitor,
    settled: async () => {
      if (lock.coversDatabase) return;
      await wait(takeoverDelayMs);
      requireOwn(directory, lockMonitor);
    },
    cover: (file) => {
      lockMonitor.add(file, `${file}-wal`, `${file}-shm`);
      lock.cover(file);
    },
    release: () => {
      lockMonitor.stop();
      lock.release();
    },
  };
}

/** Creates missing parents itself: Node's recursive mkdir never returns if a file system rejects every creation. */
function makeDirectory(directory: string): void {
  if (existsSync(directory)) return;
  const recursive = !existsSync(dirname(directory));
  const topmost = mkdirSync(directory, { recursive, mode: 0o700 }) ?? directory;
  // Files in the directory are durable only when its own name is on disk.
  for (let created = directory; ; created = dirname(created)) {
    syncDirectory(dirname(created));
    if (created === topmost) break;
  }
}

function requireOwn(directory: string, lockMonitor: DirectoryLockMonitor): void {
  try {
    lockMonitor.checkNow();
  } catch {
    throw new StartupError(
      'cannotCreate',
      `The lock of the data directory ${directory} was removed during the start. Start again, and do not remove the file "lock".`,
    );
  }
}

function onNetwork(directory: string, { name }: Volume): StartupError {
  return new StartupError(
    'cannotCreate',
    `The data directory ${directory} is on a network file system (${name}). A SQLite database does not work there reliably, and a server on another machine could use it at the same time and accept keys that were revoked. Set SOKU_DATA_DIR to a directory on a local disk, or store the data in PostgreSQL (DATABASE_URL).`,
  );
}

function notWritable(directory: string, cause: unknown): StartupError {
  const reason = cause instanceof Error ? ` (${cause.message})` : '';
  return new StartupError(
    'cannotCreate',
    `The data directory ${directory} cannot be written${reason}. Give this user write access to it, or set SOKU_DATA_DIR, for example SOKU_DATA_DIR=/var/lib/soku.`,
  );
}
