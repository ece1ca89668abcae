import { setTimeout as wait } from 'node:timers/promises';
import { StorageUnavailable } from './unavailable.ts';

/** How long a stopping process retries, and how long it waits between attempts, in ms. */
const timeoutMs = 5000;
const pause = 100;

/**
 * Performs the final write of a process. Another program may have locked the file, and there is no later opportunity, so
 * a failed write is retried for a few seconds. It is not retried when the data directory was removed or replaced, which
 * never accepts writes of this process again.
 *
 * @param write may be called again after a failure
 * @param lastPart monotonic ms of the last completed part, which restarts the timeout
 * @throws the error of the last attempt
 */
export async function writeWithRetries(
  write: () => Promise<void>,
  lastPart: () => number = () => 0,
): Promise<void> {
  const begun = performance.now();
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (isLost(error) || performance.now() > Math.max(begun, lastPart()) + timeoutMs) throw error;
      await wait(pause);
    }
  }
}

function isLost(error: unknown): boolean {
  return error instanceof StorageUnavailable && error.problem === 'lost';
}

/** The progress of data that is written in parts. */
export class WriteProgress {
  /** Monotonic ms. */
  last = 0;
  /** Called whenever a part is written. */
  onPart: (() => void) | undefined;

  written(): void {
    this.last = performance.now();
    this.onPart?.();
  }
}
