import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';

/** The rest after a step: this many times as long as the step, but at most this many ms. */
const rest = { times: 9, longest: 50 };

/** What is left to do after a step, and until when. */
export interface Schedule {
  /** When the last step should end, in monotonic ms. */
  end: number;
  /** How many steps of this length are left. */
  steps: number;
}

/**
 * Keeps work in the background: its steps take a tenth of the time. When that is too slow for the schedule, the rests get
 * shorter; between two steps there is always a turn of the event loop, in which requests are served.
 */
export class Pace {
  readonly #wait: (duration: number) => Promise<void>;
  #hurried = false;

  /** @param wait resolves after so many ms */
  constructor(wait: (duration: number) => Promise<void> = waitAwake) {
    this.#wait = wait;
  }

  /** Runs one step, and rests. @param scheduleOf takes the result of the step. Default: no schedule */
  async step<T>(work: () => Promise<T>, scheduleOf?: (result: T) => Schedule): Promise<T> {
    const begun = performance.now();
    const result = await work();
    const now = performance.now();
    const duration = now - begun;
    const usual = Math.min(duration * rest.times, rest.longest);
    const ms = scheduleOf === undefined ? usual : Math.min(usual, restFor(scheduleOf(result), now, duration));
    await (this.#hurried || ms <= 0 ? turn() : this.#wait(ms));
    return result;
  }

  /** Rests no more: the process is to end. */
  hurry(): void {
    this.#hurried = true;
  }
}

/** @returns ms of rest after each step; below 0 when there is no time for any */
function restFor({ end, steps }: Schedule, now: number, duration: number): number {
  return (end - now) / Math.max(1, steps) - duration;
}

/** Keeps the process alive: a rest is in the middle of the work. */
async function waitAwake(duration: number): Promise<void> {
  await wait(duration);
}
