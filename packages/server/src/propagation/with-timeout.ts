import type { Schedule } from '../timers/periodic-task.ts';

/** Resolves with the value of a promise, or with undefined when it rejects or does not settle within `ms`. */
export function withTimeout<T>(promise: Promise<T>, ms: number, schedule: Schedule): Promise<T | undefined> {
  return new Promise((resolve) => {
    const cancel = schedule(() => resolve(undefined), ms);
    const end = (result: T | undefined) => {
      cancel();
      resolve(result);
    };
    promise.then(end, () => end(undefined));
  });
}
