import { lengths, text, textColumns, width } from './columns.ts';

/** Maximum number of bytes in a row. */
const size = 4 * textColumns;

/** The ID and name of each row's key. Strings that do not fit into a row are stored in a map. */
export class RowTexts {
  readonly #rows: Int32Array;
  readonly #bytes: Buffer;
  readonly #long = new Map<number, string>();

  constructor(rows: Int32Array<ArrayBuffer>) {
    this.#rows = rows;
    this.#bytes = Buffer.from(rows.buffer);
  }

  /** Number of rows whose strings do not fit into the row. */
  get longTexts(): number {
    return this.#long.size;
  }

  write(row: number, keyId: string, name: string): void {
    const encoded = encodeURIComponent(name.toWellFormed());
    this.#rows[row * width + lengths] = keyId.length | (encoded.length << 16);
    const both = keyId + encoded;
    if (both.length > size) this.#long.set(row, both);
    else this.#bytes.write(both, start(row), 'latin1');
  }

  /** Called when a row becomes free. */
  drop(row: number): void {
    if (this.#lengthOf(row) > size) this.#long.delete(row);
  }

  keyId(row: number): string {
    return this.#both(row).slice(0, this.#idLength(row));
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
    if (length > size) return this.#long.get(row) ?? '';
    return this.#bytes.toString('latin1', start(row), start(row) + length);
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
