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
    this.#start ??= startOf(text);
    for (const { key, index, encoding } of this.#finder.find(text)) {
      if (index >= end) continue;
      const position = advance(this.#start, text, index);
      const before = encoding === 'UTF-16' ? Math.floor(position.bytes / 2) : position.units;
      this.findings.push({ key, line: position.line, column: before + 1, encoding });
    }
    if (isLast) return;
    this.#start = advance(this.#start, text, end);
    this.#rest = text.slice(end);
  }
}

/** A byte order mark is not counted. */
function startOf(text: string): Position {
  const isWide = text.startsWith('\xff\xfe') || text.startsWith('\xfe\xff');
  return { line: 1, bytes: isWide ? -2 : 0, units: text.startsWith('\xef\xbb\xbf') ? -1 : 0 };
}

/** @returns the position of an index of a text that begins at the given position */
function advance({ line, bytes, units }: Position, text: string, index: number): Position {
  let lines = 0;
  let lineStart = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < index; at = text.indexOf('\n', at + 1)) {
    lines += 1;
    lineStart = at + 1;
  }
  const [ownBytes, ownUnits] = [index - lineStart, countUnits(text, lineStart, index)];
  if (lines > 0) return { line: line + lines, bytes: ownBytes, units: ownUnits };
  return { line, bytes: bytes + ownBytes, units: units + ownUnits };
}

/** UTF-16 code units of the UTF-8 bytes of a range: one for each first byte of a character, two if it has four bytes. */
function countUnits(text: string, from: number, to: number): number {
  let units = 0;
  for (let i = from; i < to; i++) {
    const byte = text.charCodeAt(i);
    if (byte < 0x80 || byte >= 0xc0) units += byte >= 0xf0 ? 2 : 1;
  }
  return units;
}
