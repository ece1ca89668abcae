import { setTimeout as pause } from 'node:timers/promises';

/** Maximum of open calls of one kind, so that a stalled server is not overloaded. */
const mostOpen = 32;

/** ms between two checks of what is due. */
const tick = 10;

/**
 * Calls `send` the given number of times per second until `isOver`, and waits for the last call. Calls that were due
 * while too many were open are sent later.
 */
export async function sendAtRate(
  perSecond: number,
  isOver: () => boolean,
  send: () => Promise<void>,
): Promise<void> {
  const began = performance.now();
  const open = new Set<Promise<void>>();
  let sent = 0;
  while (!isOver()) {
    const due = Math.floor(((performance.now() - began) / 1000) * perSecond);
    for (; sent < due && open.size < mostOpen; sent++) {
      const one = send().finally(() => open.delete(one));
      open.add(one);
    }
    await pause(tick);
  }
  await Promise.all(open);
}
