import type { Hold } from './directory-hold.ts';
import { noteUnavailable, StorageUnavailable } from './unavailable.ts';

/** What the writing connection asks before and after it is used. */
export interface GuardedWrites {
  /** @throws {StorageUnavailable} when the data directory is not this process's own */
  beforeUse(): void;
  /** To be called before each statement that may write. @throws as above; nothing was written then */
  beforeWrite(): void;
  /** To be called when what was written is committed. @throws as above; what was written may be lost then */
  afterUse(): void;
}

/** Of a file that no other process knows of. */
export const unguarded: GuardedWrites = {
  beforeUse: () => undefined,
  beforeWrite: () => undefined,
  afterUse: () => undefined,
};

/**
 * Looks at the files before a write, so that one that would be lost is refused, and after its commit, so that none is
 * acknowledged whose file was removed or replaced meanwhile.
 */
export function guardWrites(hold: Hold): GuardedWrites {
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
