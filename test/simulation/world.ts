import type { Random } from './random.ts';

interface Event {
  at: number;
  /** Events of the same time run in the order in which they were scheduled. */
  order: number;
  run: () => void;
}

const doNothing = () => undefined;

/** The true time, which no node can read, and the queue of scheduled events. */
export class World {
  readonly random: Random;
  /** ms */
  now = 0;
  /** A binary heap with the next event first. */
  readonly #events: Event[] = [];
  #scheduled = 0;
  #ids = 0;

  constructor(random: Random) {
    this.random = random;
  }

  /** Returns an ID that was never used before. */
  newId(): string {
    this.#ids += 1;
    return `${this.#ids}`;
  }

  /** @returns a function that cancels the event */
  after(ms: number, run: () => void): () => void {
    this.#scheduled += 1;
    const event = { at: this.now + ms, order: this.#scheduled, run };
    this.#rise(event);
    return () => {
      event.run = doNothing;
    };
  }

  /** Runs the next event. @returns false if there is none before `end` */
  step(end: number): boolean {
    const next = this.#events[0];
    if (next === undefined || next.at > end) return false;
    const last = this.#events.pop();
    if (last !== undefined && last !== next) this.#sink(last);
    this.now = next.at;
    next.run();
    return true;
  }

  #rise(event: Event): void {
    const events = this.#events;
    let place = events.length;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = events[above];
      if (parent === undefined || isBefore(parent, event)) break;
      events[place] = parent;
      place = above;
    }
    events[place] = event;
  }

  #sink(event: Event): void {
    const events = this.#events;
    let place = 0;
    for (;;) {
      const left = events[2 * place + 1];
      const right = events[2 * place + 2];
      if (left === undefined) break;
      const goesLeft = right === undefined || isBefore(left, right);
      const child = goesLeft ? left : right;
      if (isBefore(event, child)) break;
      events[place] = child;
      place = 2 * place + (goesLeft ? 1 : 2);
    }
    events[place] = event;
  }
}

function isBefore(one: Event, other: Event): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
