import { chmodSync, closeSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { errorCodeOf } from '../error-code.ts';
import { StartupError } from '../startup-error.ts';
import { fileIdentity } from './directory-lock-monitor.ts';
import { lockExclusively, probeExclusion, refusesEveryLock } from './lock-probe.ts';
import { isBusy } from './sqlite-errors.ts';

/** The lock of a data directory, held by this process. */
export interface DirectoryLock {
  file: string;
  /** Whether the operating system's lock is held. */
  readonly isHeld: boolean;
  /**
   * Whether every process that has used this database since the lock was created held this lock. True when there is no
   * database, or the lock has covered it before.
   */
  coversDatabase: boolean;
  /** Why it could not be checked that the lock keeps out another process, where its file system is not trusted. */
  unchecked: string | undefined;
  /** Call this once no process without this lock can still use the database. */
  cover(databaseFile: string): void;
  release(): void;
}

/**
 * Takes the lock: an exclusive transaction on a separate small SQLite file. This is an operating-system lock, which,
 * unlike a file with a process ID, no crash can leave behind.
 *
 * The file `lock.owner` beside it contains the process ID, for the error message of a second process, and then which
 * lock covers which database.
 *
 * @param isTrusted whether the locks of the file system are known to work; otherwise another process tries to take it
 * @throws {StartupError} 73 when another process holds the lock, the file is not writable, or locks do not work
 */
export function takeLock(
  directory: string,
  databaseFile: string,
  { isTrusted }: { isTrusted: boolean },
): DirectoryLock {
  const file = join(directory, 'lock');
  const ownerFile = join(directory, 'lock.owner');
  const { lock, isNew } = open(directory, file, ownerFile);
  try {
    const unchecked = isTrusted ? undefined : requireExclusion(directory, file);
    const covered = readOwner(ownerFile).covered;
    const pair = pairOf(file, databaseFile);
    const coversDatabase = pair === undefined || (!isNew && pair === covered);
    writeOwner(ownerFile, coversDatabase ? pair : undefined);
    return {
      file,
      get isHeld() {
        return lock.isOpen && lock.isTransaction;
      },
      coversDatabase,
      unchecked,
      cover: (database) => writeOwner(ownerFile, pairOf(file, database)),
      release: () => lock.close(),
    };
  } catch (error) {
    lock.close();
    throw error instanceof StartupError ? error : notWritable(ownerFile, error);
  }
}

/**
 * @returns why it could not be checked, such as a limit on the number of processes, which does not prevent a start
 * @throws {StartupError} 73 if the lock does not keep out another process
 */
function requireExclusion(directory: string, file: string): string | undefined {
  const exclusion = probeExclusion(file);
  if (exclusion === 'fails') throw withoutLocks(directory, 'a second process could take the same lock');
  return exclusion === 'works' ? undefined : exclusion.unchecked;
}

function withoutLocks(directory: string, reason: string): StartupError {
  return new StartupError(
    'cannotCreate',
    `The file system of the data directory ${directory} has no working locks: ${reason}. Without them a second server could use the same data directory. Set SOKU_DATA_DIR to a directory on a local disk.`,
  );
}

/** Another process uses the data directory. */
export class DirectoryInUse extends StartupError {}

/** Once the file is locked, it must not be opened again: closing it would release the lock (fcntl(2), POSIX locks). */
function open(directory: string, file: string, ownerFile: string): { lock: DatabaseSync; isNew: boolean } {
  try {
    const isNew = create(file);
    return { lock: lockExclusively(file), isNew };
  } catch (error) {
    if (!isBusy(error)) throw notWritable(file, error);
    if (refusesEveryLock(directory)) throw withoutLocks(directory, 'it refuses every lock');
    const { pid } = readOwner(ownerFile);
    const owner = pid === undefined ? 'unknown process ID' : `process ${pid}`;
    throw new DirectoryInUse(
      'cannotCreate',
      `The data directory ${directory} is in use by another Soku process (${owner}). Stop that process first, or set SOKU_DATA_DIR to another directory.`,
    );
  }
}

/**
 * Creates the file if there is none. Only its owner can open it, because another user could otherwise hold the lock and
 * prevent the server from starting.
 *
 * @returns whether the file was created
 */
function create(file: string): boolean {
  try {
    closeSync(openSync(file, 'wx', 0o600));
    return true;
  } catch (error) {
    if (errorCodeOf(error) !== 'EEXIST') throw error;
    if ((statSync(file).mode & 0o777) !== 0o600) chmodSync(file, 0o600);
    return false;
  }
}

/** Identifies the pair of a lock and a database; undefined when there is no database. */
function pairOf(lockFile: string, databaseFile: string): string | undefined {
  const database = statSync(databaseFile, { bigint: true, throwIfNoEntry: false });
  if (database === undefined) return undefined;
  return `${fileIdentity(statSync(lockFile, { bigint: true }))} ${fileIdentity(database)}`;
}

function readOwner(file: string): { pid?: string | undefined; covered?: string | undefined } {
  try {
    const [pid, covered] = readFileSync(file, 'utf8').split('\n');
    return { pid, covered };
  } catch {
    return {};
  }
}

function writeOwner(file: string, covered: string | undefined): void {
  writeFileSync(file, `${process.pid}\n${covered ?? ''}\n`, { mode: 0o600 });
}

function notWritable(file: string, cause: unknown): StartupError {
  const reason = cause instanceof Error ? ` (${cause.message})` : '';
  return new StartupError(
    'cannotCreate',
    `The file ${file} cannot be written${reason}. Without it a second process could use the same data. Give this user write access to it.`,
  );
}
