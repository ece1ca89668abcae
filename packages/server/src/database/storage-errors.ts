import { errorCodeOf } from '../error-code.ts';
import { StartupError } from '../startup-error.ts';
import { isSharedMemoryError, primaryCodeOf } from './sqlite-errors.ts';
import { DatabaseUnavailable, type StorageProblem, StorageUnavailable } from './unavailable.ts';

/** Primary result codes of SQLite that are about its storage (https://sqlite.org/rescode.html). */
const sqliteCodes: Record<number, StorageProblem> = { 8: 'readOnly', 10: 'failed', 13: 'full', 14: 'failed' };

/** SQLITE_IOERR: the disk may have stored a commit and failed to confirm it. All others mean that nothing changed. */
const inputOutputError = 10;

/** SQLITE_BUSY, SQLITE_LOCKED. */
const busy = [5, 6];

const withoutSharedMemory = new StartupError(
  'cannotCreate',
  'The file system of the data directory has no shared memory (mmap), which the log of a SQLite database needs. Set SOKU_DATA_DIR to a directory on a local disk.',
);

/** Error codes of file systems. */
const systemCodes: Record<string, StorageProblem> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EROFS: 'readOnly',
  EACCES: 'readOnly',
  EPERM: 'readOnly',
};

/** Translates storage errors of SQLite and the file system. Other errors are returned unchanged. */
export function translateStorageError(error: unknown): unknown {
  if (error instanceof DatabaseUnavailable) return error;
  const code = primaryCodeOf(error);
  if (code === undefined) return translateSystemError(error);
  if (busy.includes(code)) return new DatabaseUnavailable(error, { code: 'locked', rolledBack: true });
  const problem = sqliteCodes[code];
  if (problem === undefined) return error;
  const rolledBack = code !== inputOutputError;
  return new StorageUnavailable(error, { problem, code: `SQLite ${code}`, rolledBack });
}

function translateSystemError(error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  const code = errorCodeOf(error);
  return new StorageUnavailable(error, { problem: systemCodes[code] ?? 'failed', code, rolledBack: false });
}

/** Translates the same errors into the error of a start or a command. Other errors are returned unchanged. */
export function toStorageStartupError(error: unknown): unknown {
  if (error instanceof StartupError) return error;
  if (primaryCodeOf(error) === undefined && !(error instanceof StorageUnavailable)) return error;
  if (isSharedMemoryError(error)) return withoutSharedMemory;
  const failure = translateStorageError(error);
  if (!(failure instanceof StorageUnavailable)) return error;
  return new StartupError(
    'cannotCreate',
    `The database in the data directory cannot be used (${failure.message}). Check the free space, and the permissions and owner of its files.`,
  );
}
