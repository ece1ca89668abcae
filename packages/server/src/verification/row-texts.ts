import { lengths, text, textColumns, width } from './columns.ts';

/** Number of bytes in a row: a key ID and a name of up to 18. */
const inRow = 4 * textColumns;

/** Number of bytes of each row that are stored elsewhere, for longer names: two more cache lines of the processor. */
const elsewhere = 40;

/**
 * The ID and name of each row's key, as bytes. Strings that do not fit into both places are stored in a map, which takes
 * about 130 bytes more.
 */
export class RowTexts {
  readonly #rows: Int32Array;
  readonly #bytes: Buffer;
  /** Memory that is never written takes no place. */
  readonly #rest: Buffer;
  readonly #long = new Map<number, string>();

  constructor(rows: Int32Array<ArrayBuffer>) {
    this.#rows = rows;
    this.#bytes = Buffer.from(rows.buffer);
    this.#rest = Buffer.from(new ArrayBuffer((rows.length / width) * elsewhere));
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
    if (both.length > inRow + elsewhere) {
      this.#long.set(row, both);
      return;
    }
    this.#bytes.write(both, start(row), inRow, 'latin1');
    if (both.length > inRow) this.#rest.write(both.slice(inRow), row * elsewhere, 'latin1');
  }

  /** Called when a row becomes free. */
  drop(row: number): void {
    if (this.#lengthOf(row) > inRow + elsewhere) this.#long.delete(row);
  }

  keyId(row: number): string {
    const length = this.#idLength(row);
    if (length > inRow || this.#lengthOf(row) > inRow + elsewhere) return this.#both(row).slice(0, length);
    return this.#bytes.toString('latin1', start(row), start(row) + length);
  }

  /** The name, URL-encoded for header fields. */
  encodedName(row: number): string {
    return this.#both(row).slice(this.#idLength(row));
  }

  /** The ID and the encoded name, read at once. */
  idAndName(row: number): [keyId: string, encodedName: string] {
    const both = this.#both(row);
    const length = this.#idLength(row);
    return [both.slice(0, length), both.slice(length)];
  }

  #both(row: number): string {
    const length = this.#lengthOf(row);
    if (length > inRow + elsewhere) return this.#long.get(row) ?? '';
    const first = this.#bytes.toString('latin1', start(row), start(row) + Math.min(length, inRow));
    if (length <= inRow) return first;
    const from = row * elsewhere;
    return first + this.#rest.toString('latin1', from, from + length - inRow);
  }

  #idLength(row: number): number {
    return (this.#rows[row * width + lengths] ?? 0) & 0xffff;
  }

  #lengthOf(row: number): number {
    const both = this.#rows[row * width + lengths] ?? 0;
    return (both & 0xffff) + (both >>> 16);
  }
}

/** Where the bytes of a row start. */
function start(row: number): number {
  return 4 * (row * width + text);
}

/** Most names have no character to decode, and looking for one costs far less. */
export function decodeName(encoded: string): string {
  return encoded.includes('%') ? decodeURIComponent(encoded) : encoded;
}
