import type { Later } from '../timers/repeating.ts';

/** What a promise resolves with; undefined when it rejects, or does not end within so many ms. */
export function within<T>(promise: Promise<T>, ms: number, later: Later): Promise<T | undefined> {
  return new Promise((resolve) => {
    const cancel = later(() => resolve(undefined), ms);
    const end = (result: T | undefined) => {
      cancel();
      resolve(result);
    };
    promise.then(end, () => end(undefined));
  });
}
