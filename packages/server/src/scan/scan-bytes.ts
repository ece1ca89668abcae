import { type Encoding, type KeyFinder, maxEncodedLength } from './find-in-text.ts';

/** A key in a file. */
export interface Finding {
  key: string;
  /** From 1. */
  line: number;
  /** From 1, in UTF-16 code units, as editors and SARIF count; exact in files that are UTF-8 or UTF-16. */
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

const lineFeed = 0x0a;

/** A position in a file: the number of its line, and its distance from the start of this line. */
interface Position {
  line: number;
  bytes: number;
  /** UTF-16 code units, if the file is UTF-8. */
  units: number;
}

/** The search in one file. Consecutive texts overlap, so that a key on a boundary is found, in one of them. */
class Search {
  readonly findings: Finding[] = [];
  readonly #finder: KeyFinder;
  #rest = '';
  /** Of the start of the rest. */
  #start: Position | undefined;

  constructor(finder: KeyFinder) {
    this.#finder = finder;
  }

  add(bytes: Buffer, isLast: boolean): void {
    const text = this.#rest + bytes.toString('latin1');
    const end = isLast ? text.length : Math.max(0, text.length - maxEncodedLength);
    let position = this.#start ?? startOf(text);
    let at = 0;
    for (const { key, index, encoding } of this.#finder.find(text)) {
      if (index >= end) continue;
      position = advance(position, text, at, index);
      at = index;
      const before = encoding === 'UTF-16' ? Math.floor(position.bytes / 2) : position.units;
      this.findings.push({ key, line: position.line, column: before + 1, encoding });
    }
    if (isLast) return;
    this.#start = advance(position, text, at, end);
    this.#rest = text.slice(end);
  }
}

/** A byte order mark is not counted. */
function startOf(text: string): Position {
  const isWide = text.startsWith('\xff\xfe') || text.startsWith('\xfe\xff');
  return { line: 1, bytes: isWide ? -2 : 0, units: text.startsWith('\xef\xbb\xbf') ? -1 : 0 };
}

/** @returns the position of the end of a range of a text, whose start has the given position */
function advance(start: Position, text: string, from: number, to: number): Position {
  let { line, bytes, units } = start;
  for (let i = from; i < to; i++) {
    const byte = text.charCodeAt(i);
    if (byte === lineFeed) {
      line += 1;
      [bytes, units] = [0, 0];
      continue;
    }
    bytes += 1;
    // In UTF-8, one for each first byte of a character, two if it has four bytes.
    if (byte < 0x80 || byte >= 0xc0) units += byte >= 0xf0 ? 2 : 1;
  }
  return { line, bytes, units };
}
