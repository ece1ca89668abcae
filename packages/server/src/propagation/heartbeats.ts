import type { Schedule } from '../timers/periodic-task.ts';

interface Options {
  /** ms from the end of one heartbeat to the start of the next, unless one is requested sooner. */
  interval: number;
  schedule: Schedule;
  /** Returns a number in [0, 1). */
  random: () => number;
  /** Called with the first of several consecutive failures. */
  failed: (error: unknown) => void;
  /** Called at the first success after a failure. */
  recovered: () => void;
}

/** The outcome of one heartbeat. */
export interface HeartbeatOutcome<T> {
  /** The result; undefined when this node has not applied every change that the heartbeat returned. */
  caughtUp: T | undefined;
  /** Whether to start the next one immediately. */
  again: boolean;
}

const firstRetryMs = 50;
const lastRetryMs = 1000;

/** Runs heartbeats one after another, never two at a time, until it is stopped. */
export class Heartbeats<T> {
  readonly #heartbeat: (isAwaited: boolean) => Promise<HeartbeatOutcome<T>>;
  readonly #options: Options;
  #running: Promise<void> | undefined;
  #requested = false;
  /** Whether to run another one immediately even if the running one fails. */
  #retries = false;
  #failures = 0;
  #stopped = false;
  /** Callers that wait for a heartbeat that has not been sent yet. */
  #waiting: ((result: T) => void)[] = [];
  #cancel: () => void = () => undefined;

  /** @param heartbeat sends one heartbeat; `isAwaited`: a caller of `next` waits for it */
  constructor(heartbeat: (isAwaited: boolean) => Promise<HeartbeatOutcome<T>>, options: Options) {
    this.#heartbeat = heartbeat;
    this.#options = options;
  }

  /**
   * Runs a heartbeat immediately. If one is running, runs another one after it, because its snapshot may be too old.
   */
  wake(): void {
    this.#requested = true;
    if (this.#running === undefined && this.#failures === 0) this.#begin();
  }

  /** Runs a heartbeat immediately even if the last one failed. Call this when the database responds again. */
  retryNow(): void {
    this.#retries = true;
    if (this.#running === undefined) this.#begin();
  }

  /**
   * Resolves with a heartbeat that is sent after this call, once this node has caught up with it. Never rejects,
   * because failed heartbeats are retried. Never resolves after `stop`.
   */
  next(): Promise<T> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.wake();
    });
  }

  /** Starts no further heartbeat; resolves when the running one has ended. */
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
      pause = await this.#runOnce();
      if (this.#retries || (this.#requested && this.#failures === 0)) pause = 0;
    }
    this.#running = undefined;
    if (!this.#stopped) this.#cancel = this.#options.schedule(() => this.#begin(), pause);
  }

  /** @returns ms until the next heartbeat */
  async #runOnce(): Promise<number> {
    this.#requested = false;
    this.#retries = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      const { caughtUp, again } = await this.#heartbeat(waiting.length > 0);
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

  /** Exponential backoff with jitter, so that the nodes do not all reconnect at the same time. */
  #retryMs(): number {
    const longest = Math.min(lastRetryMs, firstRetryMs * 2 ** (this.#failures - 1));
    return longest * (0.5 + this.#options.random() / 2);
  }
}
