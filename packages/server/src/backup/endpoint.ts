/** A value in its SQLite form. */
export type SqlValue = string | number | null | Uint8Array;

/** One row, with its values in the order of the requested columns. */
export type SqlRow = readonly SqlValue[];

/** The source or the target of a copy. */
export interface CopyEndpoint {
  /** The name for messages to the operator. */
  name: string;
  /** @returns an empty array if the table does not exist, as in an older database */
  columns(table: string): Promise<string[]>;
  /** All rows in bytewise order of the key, in batches. Concurrent writes of other connections are not visible. */
  rows(table: string, columns: readonly string[], key: readonly string[]): AsyncIterable<SqlRow[]>;
  insert(table: string, columns: readonly string[], rows: readonly SqlRow[]): Promise<void>;
}

/** Rows per batch. */
export const rowsPerBatch = 1000;

export function quoteIdentifier(name: string): string {
  return `"${name}"`;
}
