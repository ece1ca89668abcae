import { setTimeout as wait } from 'node:timers/promises';
import { StorageUnavailable } from './unavailable.ts';

/** ms: how long a process that is to end goes on trying, and how long it waits in between. */
const patience = 5000;
const pause = 100;

/**
 * Carries out the last write of a process. Another program may have locked the file just now, and there will be no
 * later: so a write that fails is tried again for some seconds. A data directory that was removed or replaced is not waited
 * for: it takes no write of this process any more.
 *
 * @param write may be called again after it failed
 * @param lastPart monotonic ms, when a part of it was written last; the seconds begin anew with each
 * @throws what the last try threw
 */
export async function lastWrite(write: () => Promise<void>, lastPart: () => number = () => 0): Promise<void> {
  const begun = performance.now();
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (isLost(error) || performance.now() > Math.max(begun, lastPart()) + patience) throw error;
      await wait(pause);
    }
  }
}

function isLost(error: unknown): boolean {
  return error instanceof StorageUnavailable && error.problem === 'lost';
}

/** What is written of something that is written in parts. */
export class Parts {
  /** Monotonic ms. */
  last = 0;
  /** Called whenever a part is written. */
  told: (() => void) | undefined;

  written(): void {
    this.last = performance.now();
    this.told?.();
  }
}
