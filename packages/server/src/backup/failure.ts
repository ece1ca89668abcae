import { codeOf } from '../code-of.ts';
import { isConstraint, isDamage } from '../database/sqlite-errors.ts';
import { StartupError } from '../startup-error.ts';

/** Codes that tell of the network: what they mean is told where PostgreSQL is known. */
const network = /^(ECONN|ENET|EHOST|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_)/;

/**
 * Tells in one line what a disk or SQLite refused in the midst of the work, such as ENOSPC or EACCES.
 *
 * @param what could not be done, and how things stand now
 * @returns the error itself when it is neither of these
 */
export function refusedByDisk(error: unknown, { failed, now }: { failed: string; now: string }): unknown {
  if (error instanceof StartupError || !(error instanceof Error)) return error;
  const ofDisk = 'syscall' in error && !network.test(codeOf(error));
  if (!ofDisk && !('errcode' in error)) return error;
  // On a full disk SQLite may end the transaction by itself; then all that is left of the cause is this.
  const hint = error.message.startsWith('cannot rollback') ? ': the disk may be full' : '';
  return new StartupError(
    isDamage(error) || isConstraint(error) ? 'data' : 'cannotCreate',
    `${failed} (${error.message}${hint}). ${now}`,
  );
}
