/**
 * Work for a periodic task that runs more often than the work is due.
 *
 * @param interval ms from the end of one run to the next, unless it is urgent
 * @param isUrgent whether not to wait for the interval
 */
export function createDueTask(
  interval: number,
  isUrgent: () => boolean,
  work: () => Promise<void>,
): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < interval && !isUrgent()) return;
    await work();
    last = performance.now();
  };
}
