import type { Hold } from './directory-hold.ts';
import { translateStorageError } from './storage-errors.ts';
import { DatabaseUnavailable, noteUnavailable, StorageUnavailable } from './unavailable.ts';

/** What the writing connection asks before and after it is used. */
export interface GuardedWrites {
  /** @throws {StorageUnavailable} when the data directory is not this process's own */
  beforeUse(): void;
  /** To be called before each statement that may write. @throws as above; nothing was written then */
  beforeWrite(): void;
  /** To be called when what was written is committed. @throws as above; what was written may be lost then */
  afterUse(): void;
  /** Runs a statement, and throws what it throws in our words. */
  run<T>(statement: () => T): T;
}

/** Of a file that no other process knows of. */
export const unguarded: GuardedWrites = {
  beforeUse: () => undefined,
  beforeWrite: () => undefined,
  afterUse: () => undefined,
  run: (statement) => statement(),
};

/**
 * Looks at the files before a write, so that one that would be lost is refused, and after its commit, so that none is
 * acknowledged whose file was removed or replaced meanwhile.
 *
 * @param failed is called when the storage failed
 */
export function guardWrites(hold: Hold, failed: (failure: StorageUnavailable) => void): GuardedWrites {
  let hasWritten = false;
  return {
    beforeUse: () => {
      if (!hold.holds()) look(hold);
    },
    beforeWrite: () => {
      if (!hasWritten) look(hold);
      hasWritten = true;
    },
    afterUse: () => {
      if (!hasWritten) return;
      hasWritten = false;
      look(hold, { rolledBack: false });
    },
    run: (statement) => {
      try {
        return statement();
      } catch (error) {
        const failure = translateStorageError(error);
        if (failure instanceof DatabaseUnavailable) noteUnavailable(failure);
        if (failure instanceof StorageUnavailable) failed(failure);
        throw failure;
      }
    },
  };
}

/** @throws {StorageUnavailable} with what is certain of the write */
function look(hold: Hold, { rolledBack } = { rolledBack: true }): void {
  try {
    hold.demand();
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error;
    const { message, problem, code } = error;
    const failure = new StorageUnavailable(message, { problem, code, rolledBack });
    noteUnavailable(failure);
    throw failure;
  }
}
