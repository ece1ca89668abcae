import { Random as SeededRandom } from '../support/random.ts';

/** The source of all random choices of a schedule. */
export class Random extends SeededRandom {
  /** @param seed even small, consecutive seeds give unrelated sequences */
  constructor(seed: number) {
    super(String(Math.imul(seed, 0x9e3779b1) >>> 0));
  }

  between(min: number, max: number): number {
    return min + this.next() * (max - min);
  }

  /** @returns undefined when there are no values */
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
