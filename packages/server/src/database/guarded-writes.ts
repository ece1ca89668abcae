import type { LockMonitor } from './directory-lock-monitor.ts';
import { translateStorageError } from './storage-errors.ts';
import { DatabaseUnavailable, recordUnavailable, StorageUnavailable } from './unavailable.ts';

/** The checks of the writing connection before and after each use. */
export interface GuardedWrites {
  /** @throws {StorageUnavailable} when this process has lost its data directory */
  beforeUse(): void;
  /** Call this before each statement that may write. @throws as above; nothing was written */
  beforeWrite(): void;
  /** Call this after a commit. @throws as above; the commit may be lost */
  afterUse(): void;
  /** Runs a statement and translates its errors. */
  run<T>(statement: () => T): T;
}

/** For a file that no other process uses. */
export const unguardedWrites: GuardedWrites = {
  beforeUse: () => undefined,
  beforeWrite: () => undefined,
  afterUse: () => undefined,
  run: (statement) => statement(),
};

/**
 * Checks the files before a write, so that a write that would be lost is rejected, and after its commit, so that none
 * is acknowledged if its file was removed or replaced meanwhile.
 *
 * @param failed called when the storage fails
 */
export function guardWrites(
  lockMonitor: LockMonitor,
  failed: (failure: StorageUnavailable) => void,
): GuardedWrites {
  let hasWritten = false;
  return {
    beforeUse: () => {
      if (!lockMonitor.holds()) checkNow(lockMonitor);
    },
    beforeWrite: () => {
      if (!hasWritten) checkNow(lockMonitor);
      hasWritten = true;
    },
    afterUse: () => {
      if (!hasWritten) return;
      hasWritten = false;
      checkNow(lockMonitor, { rolledBack: false });
    },
    run: (statement) => {
      try {
        return statement();
      } catch (error) {
        const failure = translateStorageError(error);
        if (failure instanceof DatabaseUnavailable) recordUnavailable(failure);
        if (failure instanceof StorageUnavailable) failed(failure);
        throw failure;
      }
    },
  };
}

/** @throws {StorageUnavailable} which states whether the write was rolled back */
function checkNow(lockMonitor: LockMonitor, { rolledBack } = { rolledBack: true }): void {
  try {
    lockMonitor.checkNow();
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error;
    const { message, problem, code } = error;
    const failure = new StorageUnavailable(message, { problem, code, rolledBack });
    recordUnavailable(failure);
    throw failure;
  }
}
