import type { Later } from '../timers/repeating.ts';

interface Options {
  /** ms from the end of one exchange to the beginning of the next, when nobody asks for one. */
  interval: number;
  later: Later;
  /** From 0 to below 1. */
  random: () => number;
  /** Told of the first of several failures in a row. */
  failed: (error: unknown) => void;
  /** Told of the first success after a failure. */
  recovered: () => void;
}

/** How one exchange ended. */
export interface Outcome<T> {
  /** Undefined when this node has not caught up with what the exchange showed. */
  caughtUp: T | undefined;
  /** Whether to begin the next one at once. */
  again: boolean;
}

const firstRetryMs = 50;
const lastRetryMs = 1000;

/** Makes one exchange after another, never two at the same time, for as long as it takes. */
export class Exchanges<T> {
  readonly #exchange: () => Promise<Outcome<T>>;
  readonly #options: Options;
  #running: Promise<void> | undefined;
  #wanted = false;
  #failures = 0;
  #stopped = false;
  /** Of those who wait for an exchange that is yet to be sent. */
  #waiting: ((result: T) => void)[] = [];
  #cancel: () => void = () => undefined;

  constructor(exchange: () => Promise<Outcome<T>>, options: Options) {
    this.#exchange = exchange;
    this.#options = options;
  }

  /** Makes an exchange at once, or another one if one is under way, which may have looked before the news. */
  wake(): void {
    this.#wanted = true;
    if (this.#running === undefined && this.#failures === 0) this.#begin();
  }

  /**
   * Resolves with an exchange that was sent after this call, once this node has caught up with it. Never rejects:
   * failed ones are repeated. It does not resolve any more after the stop.
   */
  next(): Promise<T> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.wake();
    });
  }

  /** Begins no further exchange; resolves when the one under way has ended. */
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
      const { caughtUp, again } = await this.#exchange();
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

  /** Grows with the failures in a row, and differs from node to node: they must not all come back at once. */
  #retryMs(): number {
    const longest = Math.min(lastRetryMs, firstRetryMs * 2 ** (this.#failures - 1));
    return longest * (0.5 + this.#options.random() / 2);
  }
}
