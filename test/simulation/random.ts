import { Random as SeededRandom } from '../support/random.ts';

/** What a schedule is made of. */
export class Random extends SeededRandom {
  /** @param seed small and consecutive ones begin far from each other */
  constructor(seed: number) {
    super(String(Math.imul(seed, 0x9e3779b1) >>> 0));
  }

  between(least: number, most: number): number {
    return least + this.next() * (most - least);
  }

  /** Undefined when there is nothing to pick from. */
  pickAny<T>(values: readonly T[]): T | undefined {
    return values[Math.floor(this.next() * values.length)];
  }

  shuffled<T>(values: readonly T[]): T[] {
    return values
      .map((value) => ({ value, place: this.next() }))
      .sort((one, other) => one.place - other.place)
      .map(({ value }) => value);
  }
}
