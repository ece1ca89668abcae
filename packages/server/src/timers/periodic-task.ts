/** Schedules a function to run after `delay` ms. The returned function cancels it. */
export type Later = (run: () => void, delay: number) => () => void;

/** Uses a system timer that does not keep the process alive. */
export const later: Later = (run, delay) => {
  const timer = setTimeout(run, delay).unref();
  return () => clearTimeout(timer);
};

interface Options {
  /** ms from the end of one run to the start of the next. */
  interval: number;
  /** Called with the first of several consecutive failures. A failed job runs again after the usual interval. */
  failed: (error: unknown) => void;
  later: Later;
}

/** Runs a job periodically, never twice at the same time. */
export class PeriodicTask {
  /** Number of failed runs. */
  failures = 0;
  readonly #job: () => Promise<void>;
  readonly #options: Options;
  #failing = false;
  #stopped = false;
  #cancel: () => void = () => undefined;
  #run: Promise<void> = Promise.resolve();

  constructor(job: () => Promise<void>, options: Options) {
    this.#job = job;
    this.#options = options;
  }

  /** @param delay ms until the first run */
  start(delay: number = this.#options.interval): void {
    this.#cancel = this.#options.later(() => {
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
    try {
      await this.#job();
      this.#failing = false;
    } catch (error) {
      this.failures += 1;
      if (!this.#failing) this.#options.failed(error);
      this.#failing = true;
    }
    if (!this.#stopped) this.start();
  }
}
