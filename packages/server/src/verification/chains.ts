import { width } from './columns.ts';

/** An index of rows: those with the same place are chained through a column of theirs. */
export class Chains {
  readonly #rows: Int32Array;
  /** The column that has the next row of a chain, plus 1; 0 is the end. */
  readonly #next: number;
  /** The first row of each place, plus 1; 0 is none. */
  readonly #first: Int32Array;
  readonly #mask: number;

  /** @param places a power of 2: chains are short when there are about as many as rows */
  constructor(rows: Int32Array, next: number, places: number) {
    this.#rows = rows;
    this.#next = next;
    this.#first = new Int32Array(places);
    this.#mask = places - 1;
  }

  /** @param mixed any 32 bits. @returns the first row of their place, or -1 */
  first(mixed: number): number {
    return (this.#first[mixed & this.#mask] ?? 0) - 1;
  }

  /** @returns the row after this one, or -1 */
  next(row: number): number {
    return (this.#rows[row * width + this.#next] ?? 0) - 1;
  }

  link(mixed: number, row: number): void {
    const place = mixed & this.#mask;
    this.#rows[row * width + this.#next] = this.#first[place] ?? 0;
    this.#first[place] = row + 1;
  }

  unlink(mixed: number, row: number): void {
    const place = mixed & this.#mask;
    let before = -1;
    for (let one = this.first(mixed); one !== row; one = this.next(one)) before = one;
    const rest = this.#rows[row * width + this.#next] ?? 0;
    if (before === -1) this.#first[place] = rest;
    else this.#rows[before * width + this.#next] = rest;
  }

  clear(): void {
    this.#first.fill(0);
  }
}

/** Mixes words into 32 bits. @param seed unknown to those who choose the words, or they could make one chain long */
export function mix(words: Int32Array, seed: number): number {
  let mixed = seed;
  for (let i = 0; i < words.length; i++) mixed = stir(mixed, words[i] ?? 0);
  return mixed;
}

/** The same for a text. */
export function mixText(text: string, seed: number): number {
  let mixed = seed;
  for (let i = 0; i < text.length; i++) mixed = stir(mixed, text.charCodeAt(i));
  return mixed;
}

function stir(mixed: number, word: number): number {
  const product = Math.imul(mixed ^ word, 0x9e3779b1);
  return product ^ (product >>> 15);
}
