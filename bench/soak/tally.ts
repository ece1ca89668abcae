import type { SoakResponse } from './client.ts';

/** Maximum number of described faults; the first ones are the most useful. */
const mostExamples = 20;

/** Counts responses by the kind of their request, and records unexpected ones. */
export class Tally {
  /** Counts by kind of request and outcome. */
  readonly kinds: Record<string, Record<string, number>> = {};
  readonly unexpected: string[] = [];
  #total = 0;
  #wrong = 0;
  #unavailable = 0;

  get total(): number {
    return this.#total;
  }

  /** Responses with 503, which are correct only if the log has the reason. */
  get unavailable(): number {
    return this.#unavailable;
  }

  get wrong(): number {
    return this.#wrong;
  }

  /**
   * @param expected the correct outcomes
   * @returns whether the outcome is one of them
   */
  expect(kind: string, { outcome }: SoakResponse, ...expected: readonly string[]): boolean {
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

  /** Records another fault. */
  fault(what: string): void {
    this.#wrong += 1;
    if (this.unexpected.length < mostExamples) this.unexpected.push(what);
  }
}
