import { setTimeout as wait } from 'node:timers/promises';

/** ms: how long a process that is to end goes on trying, and how long it waits in between. */
const patience = 5000;
const pause = 100;

/**
 * Carries out the last write of a process. Another program may have locked the file just now, and there will be no
 * later: so a write that fails is tried again for some seconds.
 *
 * @param write may be called again after it failed
 * @throws what the last try threw
 */
export async function lastWrite(write: () => Promise<void>): Promise<void> {
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await wait(pause);
    }
  }
}
