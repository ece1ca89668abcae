import { DatabaseUnavailable } from '../database/unavailable.ts';

/** Schedules a function to run after `delay` ms. The returned function cancels it. */
export type Schedule = (run: () => void, delay: number) => () => void;

/** Uses a system timer that does not keep the process alive. */
export const scheduleTimer: Schedule = (run, delay) => {
  const timer = setTimeout(run, delay).unref();
  return () => clearTimeout(timer);
};

/**
 * A job that found the database locked by another program runs again after `pause` ms. Such locks are usually short, so
 * they count as a failure only when the job has found one for `tolerated` ms.
 */
const lock = { pause: 100, tolerated: 1000 };

interface Options {
  /** ms from the end of one run to the start of the next. */
  interval: number;
  /**
   * Called with the first of several consecutive failures. A failed job runs again after the usual interval, so a run
   * that fails after `stop` is not reported.
   */
  failed: (error: unknown) => void;
  schedule: Schedule;
  /** Monotonic ms. */
  monotonic?: () => number;
}

/** Runs a job periodically, never twice at the same time. */
export class PeriodicTask {
  /** Number of failed runs. */
  failures = 0;
  readonly #job: () => Promise<void>;
  readonly #options: Options;
  readonly #monotonic: () => number;
  #failing = false;
  /** Monotonic ms since which every run found the database locked. */
  #lockedSince: number | undefined;
  #stopped = false;
  #cancel: () => void = () => undefined;
  #run: Promise<void> = Promise.resolve();

  constructor(job: () => Promise<void>, options: Options) {
    this.#job = job;
    this.#options = options;
    this.#monotonic = options.monotonic ?? (() => performance.now());
  }

  /** @param delay ms until the first run */
  start(delay: number = this.#options.interval): void {
    this.#cancel = this.#options.schedule(() => {
      this.#run = this.#runOnce();
    }, delay);
  }

  /** Starts no further run; resolves when the current one has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#run;
  }

  async #runOnce(): Promise<void> {
    let delay = this.#options.interval;
    try {
      await this.#job();
      this.#failing = false;
      this.#lockedSince = undefined;
    } catch (error) {
      if (this.#isShortLock(error)) delay = lock.pause;
      else this.#fail(error);
    }
    if (!this.#stopped) this.start(delay);
  }

  #isShortLock(error: unknown): boolean {
    if (!(error instanceof DatabaseUnavailable) || error.code !== 'locked') {
      this.#lockedSince = undefined;
      return false;
    }
    const now = this.#monotonic();
    this.#lockedSince ??= now;
    return now - this.#lockedSince < lock.tolerated;
  }

  #fail(error: unknown): void {
    this.failures += 1;
    if (!this.#failing && !this.#stopped) this.#options.failed(error);
    this.#failing = true;
  }
}
