import type { Later } from '../timers/repeating.ts';

interface Options {
  /** ms from the end of one exchange to the beginning of the next, when none is requested. */
  interval: number;
  later: Later;
  /** From 0 to below 1. */
  random: () => number;
  /** Called with the first of several failures in a row. */
  failed: (error: unknown) => void;
  /** Called at the first success after a failure. */
  recovered: () => void;
}

/** How one exchange ended. */
export interface Outcome<T> {
  /** Undefined when this node has not applied all changes that the exchange returned. */
  caughtUp: T | undefined;
  /** Whether to start the next one at once. */
  again: boolean;
}

const firstRetryMs = 50;
const lastRetryMs = 1000;

/** Runs exchanges one after another, never two at the same time, until it is stopped. */
export class Exchanges<T> {
  readonly #exchange: (isAwaited: boolean) => Promise<Outcome<T>>;
  readonly #options: Options;
  #running: Promise<void> | undefined;
  #wanted = false;
  #failures = 0;
  #stopped = false;
  /** Callers that wait for an exchange that has not been sent yet. */
  #waiting: ((result: T) => void)[] = [];
  #cancel: () => void = () => undefined;

  /** @param exchange `isAwaited`: a caller of `next` waits for this exchange */
  constructor(exchange: (isAwaited: boolean) => Promise<Outcome<T>>, options: Options) {
    this.#exchange = exchange;
    this.#options = options;
  }

  /** Runs an exchange at once, or one more after the running one, whose snapshot may be too old. */
  wake(): void {
    this.#wanted = true;
    if (this.#running === undefined && this.#failures === 0) this.#begin();
  }

  /**
   * Resolves with an exchange that was sent after this call, once this node has caught up with it. Never rejects,
   * because failed exchanges are repeated. Never resolves after the stop.
   */
  next(): Promise<T> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.wake();
    });
  }

  /** Starts no further exchange; resolves when the running one has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#running;
  }

  #begin(): void {
    if (this.#stopped) return;
    this.#cancel();
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    let pause = 0;
    while (pause === 0 && !this.#stopped) {
      pause = await this.#once();
      if (this.#wanted && this.#failures === 0) pause = 0;
    }
    this.#running = undefined;
    if (!this.#stopped) this.#cancel = this.#options.later(() => this.#begin(), pause);
  }

  /** @returns ms until the next one */
  async #once(): Promise<number> {
    this.#wanted = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      const { caughtUp, again } = await this.#exchange(waiting.length > 0);
      if (caughtUp === undefined) this.#waiting.unshift(...waiting);
      else for (const resolve of waiting) resolve(caughtUp);
      if (this.#failures > 0) this.#options.recovered();
      this.#failures = 0;
      return again ? 0 : this.#options.interval;
    } catch (error) {
      this.#waiting.unshift(...waiting);
      if (this.#failures === 0 && !this.#stopped) this.#options.failed(error);
      this.#failures += 1;
      return this.#retryMs();
    }
  }

  /** Exponential backoff with jitter, so that the nodes do not all reconnect at once. */
  #retryMs(): number {
    const longest = Math.min(lastRetryMs, firstRetryMs * 2 ** (this.#failures - 1));
    return longest * (0.5 + this.#options.random() / 2);
  }
}
