import {
  type DatabaseUnavailable,
  type StorageProblem,
  StorageUnavailable,
} from '../database/unavailable.ts';
import type { ApiProblem } from './errors.ts';

/** A storage problem and how to fix it. Names no path, because clients also read it. */
export const storageProblemTexts: Record<StorageProblem, string> = {
  full: "The server's disk is full. Free some space.",
  readOnly: "The server's storage is read-only. Make it writable.",
  failed: "The server's storage is failing. Check the disk and the log.",
  lost: "The server's data directory was removed or replaced. Restart the server.",
  silent: "The server's disk is not responding. Check the disk.",
};

/** Describes the outcome of the request only as far as it is certain. */
export function unavailableProblem(failure: DatabaseUnavailable, method: string): ApiProblem {
  if (failure instanceof StorageUnavailable) {
    const outcome = failure.rolledBack
      ? 'Nothing was changed; try again after that.'
      : 'The change may or may not have been made: check before you retry.';
    return { code: 'storage_unavailable', message: `${storageProblemTexts[failure.problem]} ${outcome}` };
  }
  const code = 'verification_unavailable';
  if (failure.code === 'locked') {
    const message = 'The database is locked by another program.';
    return { code, message: `${message} Nothing was changed; try again in a moment.` };
  }
  if (failure.rolledBack) {
    const message = 'This request conflicted with another one in the database.';
    return { code, message: `${message} Nothing was changed; try again in a moment.` };
  }
  const message = 'The database is not responding.';
  if (['GET', 'HEAD'].includes(method)) return { code, message: `${message} Try again.` };
  return {
    code,
    message: `${message} The change may or may not have been made: check before you retry.`,
  };
}
