import { lengths, width } from './columns.ts';

/** Bytes per row: a key ID and 18 more. */
const size = 48;

/** The ID and name of each row's key. Strings that do not fit into a row are stored in a map. */
export class RowTexts {
  readonly #rows: Int32Array;
  readonly #bytes: Buffer;
  readonly #long = new Map<number, string>();

  constructor(rows: Int32Array, capacity: number) {
    this.#rows = rows;
    this.#bytes = Buffer.from(new ArrayBuffer(capacity * size));
  }

  /** Number of rows whose strings do not fit into the row. */
  get longTexts(): number {
    return this.#long.size;
  }

  write(row: number, keyId: string, name: string): void {
    const encoded = encodeURIComponent(name.toWellFormed());
    this.#rows[row * width + lengths] = keyId.length | (encoded.length << 16);
    const text = keyId + encoded;
    if (text.length > size) this.#long.set(row, text);
    else this.#bytes.write(text, row * size, 'latin1');
  }

  /** Called when a row becomes free. */
  drop(row: number): void {
    if (this.#lengthOf(row) > size) this.#long.delete(row);
  }

  keyId(row: number): string {
    return this.#slice(row, 0, this.#idLength(row));
  }

  /** The name, URL-encoded for header fields. */
  encodedName(row: number): string {
    return this.#slice(row, this.#idLength(row), this.#lengthOf(row));
  }

  #slice(row: number, start: number, end: number): string {
    if (this.#lengthOf(row) > size) return (this.#long.get(row) ?? '').slice(start, end);
    return this.#bytes.toString('latin1', row * size + start, row * size + end);
  }

  #idLength(row: number): number {
    return (this.#rows[row * width + lengths] ?? 0) & 0xffff;
  }

  #lengthOf(row: number): number {
    const both = this.#rows[row * width + lengths] ?? 0;
    return (both & 0xffff) + (both >>> 16);
  }
}
