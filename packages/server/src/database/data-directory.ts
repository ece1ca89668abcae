import { accessSync, constants, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { syncDirectory } from '../durable-files.ts';
import { StartupError } from '../startup-error.ts';

/**
 * The directory that holds everything one deployment has: the database and the generated secret.
 * Exactly one process may have it open, because verification caches what it read and only its own process
 * tells it of a revocation: a second one would go on accepting revoked keys.
 */
export interface DataDirectory {
  path: string;
  databaseFile: string;
  secretFile: string;
  /** Whether the lock still keeps others out: false when somebody removed its file, which looks like a stale one. */
  isHeld(): boolean;
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
  const lock = takeLock(directory);
  return {
    path: directory,
    databaseFile: join(directory, 'soku.db'),
    secretFile: join(directory, 'secret'),
    ...lock,
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

/**
 * The lock is an exclusive transaction on a small SQLite file of its own: an operating-system lock that no
 * crash can leave behind, unlike a file with a process id in it. The id is written beside it for the message.
 */
function takeLock(directory: string): Pick<DataDirectory, 'isHeld' | 'release'> {
  const file = join(directory, 'lock');
  const owner = join(directory, 'lock.owner');
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(file, { timeout: 0 });
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    writeFileSync(owner, String(process.pid));
  } catch (error) {
    lock?.close();
    if (!/locked/.test(String(error))) throw notWritable(directory, error);
    throw new StartupError(
      'cannotCreate',
      `The data directory ${directory} is in use by another Soku process (${readOwner(owner)}). Stop that process first, or set SOKU_DATA_DIR to another directory.`,
    );
  }
  const held = lock;
  const { ino } = statSync(file);
  return {
    isHeld: () => statSync(file, { throwIfNoEntry: false })?.ino === ino,
    release: () => held.close(),
  };
}

function readOwner(file: string): string {
  try {
    return `process ${readFileSync(file, 'utf8')}`;
  } catch {
    return 'process id not known';
  }
}

function notWritable(directory: string, cause: unknown): StartupError {
  const reason = cause instanceof Error ? ` (${cause.message})` : '';
  return new StartupError(
    'cannotCreate',
    `The data directory ${directory} cannot be written${reason}. Give this user write access to it, or set SOKU_DATA_DIR, for example SOKU_DATA_DIR=/var/lib/soku.`,
  );
}
