import { setTimeout as pause } from 'node:timers/promises';

/** Most calls of one kind that wait for their answers at once: a server that stalls is not buried. */
const mostOpen = 32;

/** ms between two looks at what is due. */
const tick = 10;

/**
 * Calls `ask` so many times a second until it is over, and waits for the last of them. What was due while too
 * many were open is made up for.
 */
export async function keepPace(
  perSecond: number,
  isOver: () => boolean,
  ask: () => Promise<void>,
): Promise<void> {
  const began = performance.now();
  const open = new Set<Promise<void>>();
  let asked = 0;
  while (!isOver()) {
    const due = Math.floor(((performance.now() - began) / 1000) * perSecond);
    for (; asked < due && open.size < mostOpen; asked++) {
      const one = ask().finally(() => open.delete(one));
      open.add(one);
    }
    await pause(tick);
  }
  await Promise.all(open);
}
