/** A value as SQLite has it. */
export type Value = string | number | null | Uint8Array;

/** One row, its values in the order of the columns that were asked for. */
export type Row = readonly Value[];

/** One database in a copy: that which is read, or that which is written. */
export interface Side {
  /** As the operator calls it, for messages. */
  name: string;
  /** @returns empty when there is no such table, as in an older database */
  columns(table: string): Promise<string[]>;
  /** All rows in the order of the key, bytewise, in slices; what other connections write meanwhile is not seen. */
  rows(table: string, columns: readonly string[], key: readonly string[]): AsyncIterable<Row[]>;
  insert(table: string, columns: readonly string[], rows: readonly Row[]): Promise<void>;
}

/** Rows of a slice. */
export const sliceRows = 1000;

export function quoted(name: string): string {
  return `"${name}"`;
}
