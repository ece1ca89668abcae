import { isConstraintViolation, isCorruption } from '../database/sqlite-errors.ts';
import { errorCodeOf } from '../error-code.ts';
import { StartupError } from '../startup-error.ts';

/** Codes of network errors, which are handled together with the other PostgreSQL errors. */
const network = /^(ECONN|ENET|EHOST|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_)/;

/**
 * Converts an error of the disk or SQLite during the work, such as ENOSPC or EACCES, to an error with one line.
 *
 * @param outcome what failed, and the resulting state
 * @returns a StartupError; any other error is returned unchanged
 */
export function explainDiskError(error: unknown, { failed, now }: { failed: string; now: string }): unknown {
  if (error instanceof StartupError || !(error instanceof Error)) return error;
  const isDiskError = 'syscall' in error && !network.test(errorCodeOf(error));
  if (!isDiskError && !('errcode' in error)) return error;
  // On a full disk, SQLite may roll back the transaction on its own. This message is then the only trace of the cause.
  const hint = error.message.startsWith('cannot rollback') ? ': the disk may be full' : '';
  return new StartupError(
    isCorruption(error) || isConstraintViolation(error) ? 'data' : 'cannotCreate',
    `${failed} (${error.message}${hint}). ${now}`,
  );
}
