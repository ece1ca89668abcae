import {
  type DatabaseUnavailable,
  type StorageProblem,
  StorageUnavailable,
} from '../database/unavailable.ts';
import type { ApiProblem } from './errors.ts';

/** What is wrong with the storage, and what helps. It names no path: clients read it, too. */
export const storageProblems: Record<StorageProblem, string> = {
  full: "The server's disk is full. Free some space.",
  readOnly: "The server's storage is read-only. Make it writable.",
  failed: "The server's storage fails. Check the disk and the log.",
  lost: "The server's data directory was removed or replaced. Restart the server.",
  silent: "The server's disk does not respond. Check the disk.",
};

/** Says no more of what became of the request than is certain. */
export function unavailable(failure: DatabaseUnavailable, method: string): ApiProblem {
  if (failure instanceof StorageUnavailable) {
    const outcome = failure.rolledBack
      ? 'Nothing was changed; try again then.'
      : 'The change may have been made or not: check before you try again.';
    return { code: 'storage_unavailable', message: `${storageProblems[failure.problem]} ${outcome}` };
  }
  const code = 'verification_unavailable';
  if (failure.code === 'locked') {
    const message = 'The database is locked by another program.';
    return { code, message: `${message} Nothing was changed; try again in a moment.` };
  }
  if (failure.rolledBack) {
    const message = 'The database was changed by another request at the same moment.';
    return { code, message: `${message} Nothing was changed by this one; try again in a moment.` };
  }
  const message = 'The database does not answer at the moment.';
  if (['GET', 'HEAD'].includes(method)) return { code, message: `${message} Try again.` };
  return {
    code,
    message: `${message} What was asked for may have been carried out, or not: look before you try again.`,
  };
}
