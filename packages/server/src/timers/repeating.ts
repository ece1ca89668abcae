/** What starts a job after so many ms. The returned function takes it back. */
export type Later = (run: () => void, delay: number) => () => void;

/** By the system's timer, which does not keep the process alive. */
export const later: Later = (run, delay) => {
  const timer = setTimeout(run, delay).unref();
  return () => clearTimeout(timer);
};

interface Options {
  /** ms from the end of one run to the beginning of the next. */
  interval: number;
  /** Told of the first of several failures in a row. A failed job is run again like any other. */
  failed: (error: unknown) => void;
  later: Later;
}

/** Runs a job again and again, never twice at the same time. */
export class Repeating {
  /** Runs that failed. */
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

  /** Begins no further run; resolves when the one under way has ended. */
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
