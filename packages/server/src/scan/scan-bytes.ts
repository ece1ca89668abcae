import { type Encoding, type KeyFinder, maxEncodedLength } from './find-in-text.ts';

/** A key in a file. */
export interface Finding {
  key: string;
  /** From 1. */
  line: number;
  /** From 1, in bytes. */
  column: number;
  encoding: Encoding;
}

/** Bytes that are searched at once, so that a large file needs little memory. */
const pieceSize = 16 * 1024 * 1024;

/**
 * Finds the keys in a file.
 *
 * @param pieces the bytes of the file, in pieces of any size
 * @param atOnce bytes that are searched at once
 */
export async function scanBytes(
  finder: KeyFinder,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  atOnce = pieceSize,
): Promise<Finding[]> {
  const search = new Search(finder);
  let waiting: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    waiting.push(piece);
    size += piece.length;
    if (size < atOnce) continue;
    search.add(Buffer.concat(waiting), false);
    [waiting, size] = [[], 0];
  }
  search.add(Buffer.concat(waiting), true);
  return search.findings;
}

/** The search in one file. Consecutive texts overlap, so that a key on a boundary is found, in one of them. */
class Search {
  readonly findings: Finding[] = [];
  readonly #finder: KeyFinder;
  #rest = '';
  /** Line and column of the start of the rest. */
  #line = 1;
  #column = 1;

  constructor(finder: KeyFinder) {
    this.#finder = finder;
  }

  add(bytes: Buffer, isLast: boolean): void {
    const text = this.#rest + bytes.toString('latin1');
    const end = isLast ? text.length : Math.max(0, text.length - maxEncodedLength);
    for (const { key, index, encoding } of this.#finder.find(text)) {
      if (index < end) this.findings.push({ key, ...this.#placeOf(text, index), encoding });
    }
    ({ line: this.#line, column: this.#column } = this.#placeOf(text, end));
    this.#rest = text.slice(end);
  }

  #placeOf(text: string, index: number): { line: number; column: number } {
    let line = this.#line;
    let start = 1 - this.#column;
    for (let at = text.indexOf('\n'); at >= 0 && at < index; at = text.indexOf('\n', at + 1)) {
      line += 1;
      start = at + 1;
    }
    return { line, column: index - start + 1 };
  }
}
