import { width } from './columns.ts';

/** A hash index of rows. Rows in the same bucket form a linked list through one of their columns. */
export class HashIndex {
  readonly #rows: Int32Array;
  /** The column that stores the next row of the list, plus 1; 0 marks the end. */
  readonly #next: number;
  /** The first row of each bucket, plus 1; 0 means empty. */
  readonly #first: Int32Array;
  readonly #mask: number;

  /** @param buckets number of buckets, a power of 2; lists are short if there are about as many buckets as rows */
  constructor(rows: Int32Array, next: number, buckets: number) {
    this.#rows = rows;
    this.#next = next;
    this.#first = new Int32Array(buckets);
    this.#mask = buckets - 1;
  }

  /** @param mixed a 32-bit hash. @returns the first row in its bucket, or -1 */
  first(mixed: number): number {
    return (this.#first[mixed & this.#mask] ?? 0) - 1;
  }

  /** @returns the next row in the bucket, or -1 */
  next(row: number): number {
    return (this.#rows[row * width + this.#next] ?? 0) - 1;
  }

  link(mixed: number, row: number): void {
    const bucket = mixed & this.#mask;
    this.#rows[row * width + this.#next] = this.#first[bucket] ?? 0;
    this.#first[bucket] = row + 1;
  }

  unlink(mixed: number, row: number): void {
    const bucket = mixed & this.#mask;
    let before = -1;
    for (let one = this.first(mixed); one !== row; one = this.next(one)) before = one;
    const rest = this.#rows[row * width + this.#next] ?? 0;
    if (before === -1) this.#first[bucket] = rest;
    else this.#rows[before * width + this.#next] = rest;
  }

  clear(): void {
    this.#first.fill(0);
  }
}

/** Hashes 32-bit words to 32 bits. @param seed secret, so that clients cannot choose words that collide */
export function hashWords(words: Int32Array, seed: number): number {
  let mixed = seed;
  for (let i = 0; i < words.length; i++) mixed = stir(mixed, words[i] ?? 0);
  return mixed;
}

/** Hashes a string to 32 bits. */
export function hashText(text: string, seed: number): number {
  let mixed = seed;
  for (let i = 0; i < text.length; i++) mixed = stir(mixed, text.charCodeAt(i));
  return mixed;
}

function stir(mixed: number, word: number): number {
  const product = Math.imul(mixed ^ word, 0x9e3779b1);
  return product ^ (product >>> 15);
}
