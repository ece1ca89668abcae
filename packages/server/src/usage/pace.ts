import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';

/** After each step it rests so many times as long, but no longer than so many ms. */
const rest = { times: 9, longest: 50 };

/**
 * Keeps work in the background: its steps take a tenth of the time at most. The more there is to do, the longer
 * it lasts, but verification never slows down for it.
 */
export class Pace {
  readonly #wait: (duration: number) => Promise<void>;
  #hurried = false;

  /** @param wait resolves after so many ms */
  constructor(wait: (duration: number) => Promise<void> = waitAwake) {
    this.#wait = wait;
  }

  /** Does one step, and rests. */
  async step<T>(work: () => Promise<T>): Promise<T> {
    const begun = performance.now();
    const result = await work();
    const duration = (performance.now() - begun) * rest.times;
    await (this.#hurried ? turn() : this.#wait(Math.min(duration, rest.longest)));
    return result;
  }

  /** Rests no more: the process is to end. */
  hurry(): void {
    this.#hurried = true;
  }
}

/** Keeps the process alive: what rests has not ended. */
async function waitAwake(duration: number): Promise<void> {
  await wait(duration);
}
