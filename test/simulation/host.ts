import type { Clock } from '../../packages/server/src/propagation/clock.ts';
import type { Later } from '../../packages/server/src/timers/repeating.ts';
import type { World } from './world.ts';

interface Options {
  world: World;
  /** ms of its monotonic clock in a true ms. */
  rate: number;
  /** ms by which its wall clock is wrong. */
  wallOffset: number;
}

/** Where one process runs, from its start to its death: its clocks and timers, and that it can be stopped. */
export class Host {
  readonly later: Later;
  readonly clock: Clock;
  alive = true;
  /** ms of true time in which it was paused, and when that last was. */
  pausedMs = 0;
  /** True time until which nothing reaches the database or comes back. */
  #cutUntil = 0;
  readonly #world: World;
  readonly #options: Options;
  readonly #origin: number;
  #paused = false;
  #wallJump = 0;
  /** ms for which its monotonic clock stood still. */
  #stoodStill = 0;
  /** What has arrived while it was paused. */
  #held: (() => void)[] = [];

  constructor(options: Options) {
    const { world, rate } = options;
    this.#world = world;
    this.#options = options;
    this.#origin = world.random.between(0, 1e6);
    this.clock = { monotonic: () => this.#monotonic(), wall: () => this.#wall() };
    this.later = (run, delay) => {
      let cancelled = false;
      const cancel = world.after(delay / rate, () => this.deliver(() => cancelled || run()));
      return () => {
        cancelled = true;
        cancel();
      };
    };
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Lets something reach the process: an answer, a request, a timer. */
  deliver(run: () => void): void {
    if (!this.alive) return;
    if (this.#paused) this.#held.push(run);
    else run();
  }

  /**
   * Stops the process, or the machine with its monotonic clock. What has arrived meanwhile then comes in any order.
   */
  pause(ms: number, machine: boolean): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#world.after(ms, () => {
      this.#paused = false;
      this.pausedMs += ms;
      if (machine) this.#stoodStill += ms;
      const held = this.#world.random.shuffled(this.#held);
      this.#held = [];
      for (const run of held) this.#world.after(0, () => this.deliver(run));
    });
  }

  cut(ms: number): void {
    this.#cutUntil = this.#world.now + ms;
  }

  get isCut(): boolean {
    return this.#world.now < this.#cutUntil;
  }

  jumpWallClock(ms: number): void {
    this.#wallJump += ms;
  }

  #monotonic(): number {
    return this.#origin + (this.#world.now - this.#stoodStill) * this.#options.rate;
  }

  #wall(): number {
    return 1.7e12 + this.#world.now + this.#options.wallOffset + this.#wallJump;
  }
}
