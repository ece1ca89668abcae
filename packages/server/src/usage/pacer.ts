import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';

/** The rest after a step: this many times as long as the step, but at most this many ms. */
const rest = { times: 9, longest: 50 };

/**
 * Keeps work in the background: its steps take at most a tenth of the time. More work takes longer, but does not slow
 * down verification.
 */
export class Pacer {
  readonly #wait: (duration: number) => Promise<void>;
  #hurried = false;

  /** @param wait resolves after the given number of ms */
  constructor(wait: (duration: number) => Promise<void> = waitAwake) {
    this.#wait = wait;
  }

  /**
   * Runs one step and rests.
   *
   * @param restUntil when rests end, because the work must not take longer: a time of `performance.now()`
   */
  async step<T>(work: () => Promise<T>, restUntil = Number.POSITIVE_INFINITY): Promise<T> {
    const begun = performance.now();
    const result = await work();
    const now = performance.now();
    const duration = Math.min((now - begun) * rest.times, rest.longest, restUntil - now);
    await (this.#hurried || duration <= 0 ? turn() : this.#wait(duration));
    return result;
  }

  /** Stops resting, because the process is ending. */
  hurry(): void {
    this.#hurried = true;
  }
}

/** Keeps the process alive, because the work has not ended. */
async function waitAwake(duration: number): Promise<void> {
  await wait(duration);
}
