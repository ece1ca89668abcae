/** Primary result codes of SQLite, the low byte of node:sqlite's `errcode`. */
const codes = { busy: [5, 6], damaged: [11, 26], constraint: [19, 20] };

/** Whether another program locks the file (SQLITE_BUSY, SQLITE_LOCKED). */
export function isBusy(error: unknown): boolean {
  return hasCode(error, codes.busy);
}

/** Whether the file is damaged or not a database (SQLITE_CORRUPT, SQLITE_NOTADB). */
export function isCorruption(error: unknown): boolean {
  return hasCode(error, codes.damaged);
}

/** Whether the schema rejects a value (SQLITE_CONSTRAINT, SQLITE_MISMATCH). */
export function isConstraintViolation(error: unknown): boolean {
  return hasCode(error, codes.constraint);
}

/** Whether the file system cannot map the file soku.db-shm into memory (SQLITE_IOERR_SHMMAP). */
export function isSharedMemoryError(error: unknown): boolean {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error && 'errcode' in cause && cause.errcode === (10 | (21 << 8));
}

/** @returns undefined when the error is not from SQLite */
export function primaryCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

function hasCode(error: unknown, wanted: number[]): boolean {
  const code = primaryCodeOf(error);
  return code !== undefined && wanted.includes(code);
}
