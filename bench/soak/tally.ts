import type { Answer } from './client.ts';

/** The longest list of what went wrong: the first ones tell the most. */
const mostExamples = 20;

/** Counts answers by the kind of their request, and notes those that the kind must not have. */
export class Tally {
  /** Kind to outcome to how many. */
  readonly kinds: Record<string, Record<string, number>> = {};
  readonly unexpected: string[] = [];
  #total = 0;
  #wrong = 0;
  #unavailable = 0;

  get total(): number {
    return this.#total;
  }

  /** Answers that the server could not answer at the moment: right only where its log says why. */
  get unavailable(): number {
    return this.#unavailable;
  }

  get wrong(): number {
    return this.#wrong;
  }

  /**
   * @param expected the outcomes that are right
   * @returns whether it was one of them
   */
  expect(kind: string, { outcome }: Answer, ...expected: readonly string[]): boolean {
    this.kinds[kind] ??= {};
    const outcomes = this.kinds[kind];
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    this.#total += 1;
    if (expected.includes(outcome)) return true;
    if (outcome.startsWith('503 ')) {
      this.#unavailable += 1;
      return false;
    }
    this.fault(`${kind}: ${outcome}, expected ${expected.join(' or ')}`);
    return false;
  }

  /** Something else that must not be. */
  fault(what: string): void {
    this.#wrong += 1;
    if (this.unexpected.length < mostExamples) this.unexpected.push(what);
  }
}
