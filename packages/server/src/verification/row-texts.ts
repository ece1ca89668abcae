import { lengths, text, textColumns, width } from './columns.ts';

/** Number of bytes in a row: for a key ID, and a name of up to 18 bytes. */
const bytesInRow = 4 * textColumns;

/**
 * Number of bytes per row in a second buffer, for longer names. Reading them costs up to two more cache lines of the
 * processor.
 */
const overflowBytes = 40;

/**
 * The ID and name of each row's key, as bytes in the row and in the second buffer. Strings that do not fit into these
 * are stored in a map, which takes about 130 bytes more.
 */
export class RowTexts {
  readonly #rows: Int32Array;
  readonly #bytes: Buffer;
  /** The second buffer. The operating system commits its memory only where it is written. */
  readonly #overflow: Buffer;
  readonly #long = new Map<number, string>();

  constructor(rows: Int32Array<ArrayBuffer>) {
    this.#rows = rows;
    this.#bytes = Buffer.from(rows.buffer);
    this.#overflow = Buffer.from(new ArrayBuffer((rows.length / width) * overflowBytes));
  }

  /** Number of rows whose strings are in the map. */
  get longTexts(): number {
    return this.#long.size;
  }

  write(row: number, keyId: string, name: string): void {
    const encoded = encodeURIComponent(name.toWellFormed());
    // A longer one, which only a change by hand can produce, is in the map in any case.
    this.#rows[row * width + lengths] = keyId.length | (Math.min(encoded.length, 0xffff) << 16);
    const both = keyId + encoded;
    if (both.length > bytesInRow + overflowBytes) {
      this.#long.set(row, both);
      return;
    }
    this.#bytes.write(both, start(row), bytesInRow, 'latin1');
    if (both.length > bytesInRow) this.#overflow.write(both.slice(bytesInRow), row * overflowBytes, 'latin1');
  }

  /** Called when a row becomes free. */
  drop(row: number): void {
    if (this.#lengthOf(row) > bytesInRow + overflowBytes) this.#long.delete(row);
  }

  keyId(row: number): string {
    const length = this.#idLength(row);
    if (length > bytesInRow || this.#lengthOf(row) > bytesInRow + overflowBytes)
      return this.#stored(row).slice(0, length);
    return this.#bytes.toString('latin1', start(row), start(row) + length);
  }

  /** The name, URL-encoded for header fields. */
  encodedName(row: number): string {
    return this.#stored(row).slice(this.#idLength(row));
  }

  /** The ID and the encoded name, read at once. */
  idAndName(row: number): [keyId: string, encodedName: string] {
    const both = this.#stored(row);
    const length = this.#idLength(row);
    return [both.slice(0, length), both.slice(length)];
  }

  /** The ID, followed by the encoded name. */
  #stored(row: number): string {
    const length = this.#lengthOf(row);
    if (length > bytesInRow + overflowBytes) return this.#long.get(row) ?? '';
    const first = this.#bytes.toString('latin1', start(row), start(row) + Math.min(length, bytesInRow));
    if (length <= bytesInRow) return first;
    const from = row * overflowBytes;
    return first + this.#overflow.toString('latin1', from, from + length - bytesInRow);
  }

  #idLength(row: number): number {
    return (this.#rows[row * width + lengths] ?? 0) & 0xffff;
  }

  #lengthOf(row: number): number {
    const packed = this.#rows[row * width + lengths] ?? 0;
    return (packed & 0xffff) + (packed >>> 16);
  }
}

/** Where the bytes of a row start. */
function start(row: number): number {
  return 4 * (row * width + text);
}

/** Decodes a URL-encoded name. Most names have nothing to decode, and checking that costs far less than decoding. */
export function decodeName(encoded: string): string {
  return encoded.includes('%') ? decodeURIComponent(encoded) : encoded;
}
