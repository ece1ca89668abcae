import type { Clock } from '../../packages/server/src/propagation/clock.ts';
import type { Schedule } from '../../packages/server/src/timers/periodic-task.ts';
import type { World } from './world.ts';

interface Options {
  world: World;
  /** Monotonic ms per true ms. */
  rate: number;
  /** Error of its wall clock in ms. */
  wallOffset: number;
}

/** The machine of one process, from its start to its crash: clocks, timers, pauses and network cuts. */
export class Host {
  readonly schedule: Schedule;
  readonly clock: Clock;
  alive = true;
  /** Total true ms for which it was paused. */
  pausedMs = 0;
  /** True time until which no message reaches the database or comes back. */
  #cutUntil = 0;
  readonly #world: World;
  readonly #options: Options;
  readonly #origin: number;
  #paused = false;
  #wallJump = 0;
  /** ms for which its monotonic clock was stopped. */
  #stoppedMs = 0;
  /** Deliveries that arrived while it was paused. */
  #held: (() => void)[] = [];

  constructor(options: Options) {
    const { world, rate } = options;
    this.#world = world;
    this.#options = options;
    this.#origin = world.random.between(0, 1e6);
    this.clock = { monotonic: () => this.#monotonic(), wall: () => this.#wall() };
    this.schedule = (run, delay) => {
      let canceled = false;
      const cancel = world.after(delay / rate, () => this.deliver(() => canceled || run()));
      return () => {
        canceled = true;
        cancel();
      };
    };
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Delivers something to the process: a response, a request or a timer. */
  deliver(run: () => void): void {
    if (!this.alive) return;
    if (this.#paused) this.#held.push(run);
    else run();
  }

  /**
   * Pauses the process, or the whole machine including its monotonic clock. Deliveries during the pause are made
   * afterwards, in random order.
   */
  pause(ms: number, machine: boolean): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#world.after(ms, () => {
      this.#paused = false;
      this.pausedMs += ms;
      if (machine) this.#stoppedMs += ms;
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
    return this.#origin + (this.#world.now - this.#stoppedMs) * this.#options.rate;
  }

  #wall(): number {
    return 1.7e12 + this.#world.now + this.#options.wallOffset + this.#wallJump;
  }
}
