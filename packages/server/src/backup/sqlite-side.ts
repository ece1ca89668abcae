import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { StartupError } from '../startup-error.ts';
import { quoted, type Row, type Side, sliceRows, type Value } from './side.ts';

/**
 * Bytes or characters of a value. All that the server writes is far smaller; a backup that somebody else made must not
 * fill the memory.
 */
const largestValue = 1024 * 1024;

const rowSchema = z.array(
  z.union([
    z.string().max(largestValue),
    z.number(),
    z.null(),
    z.instanceof(Uint8Array).refine(({ length }) => length <= largestValue),
  ]),
);

const columnsSchema = z.array(z.object({ name: z.string(), type: z.string() }));

/** What a column of each declared type holds beside NULL. SQLite itself would take anything. */
const holds: Record<string, (value: Value) => boolean> = {
  text: (value) => typeof value === 'string',
  // The auth library's, as ISO 8601.
  date: (value) => typeof value === 'string',
  integer: Number.isSafeInteger,
  bigint: Number.isSafeInteger,
  blob: (value) => value instanceof Uint8Array,
};

/**
 * @param database inside a transaction, so that all reads see the same
 * @param name of its file
 */
export function sqliteSide(database: DatabaseSync, name: string): Side {
  return {
    name,
    columns: async (table) => columnsOf(database, name, table).map((column) => column.name),
    async *rows(table, columns, key) {
      const names = columns.map(quoted).join(', ');
      const statement = database.prepare(
        `SELECT ${names} FROM ${quoted(table)} ORDER BY ${key.map(quoted).join(', ')}`,
      );
      statement.setReturnArrays(true);
      let slice: Row[] = [];
      for (const row of readable(statement.iterate(), `${name} is damaged: the table ${table}`)) {
        slice.push(row);
        if (slice.length < sliceRows) continue;
        yield slice;
        slice = [];
      }
      if (slice.length > 0) yield slice;
    },
    async insert(table, columns, rows) {
      const names = columns.map(quoted).join(', ');
      const places = columns.map(() => '?').join(', ');
      const statement = database.prepare(`INSERT INTO ${quoted(table)} (${names}) VALUES (${places})`);
      const types = new Map(columnsOf(database, name, table).map((column) => [column.name, column.type]));
      for (const row of rows) {
        refuseOtherTypes(table, columns, row, types);
        statement.run(...row);
      }
    },
  };
}

/**
 * @returns empty when there is no such table
 * @throws {StartupError} 65 when it is a view or a virtual table, with which reading would run code of the file
 */
export function columnsOf(database: DatabaseSync, file: string, table: string) {
  const kind = database
    .prepare("SELECT type FROM pragma_table_list WHERE schema = 'main' AND name = ? COLLATE NOCASE")
    .get(table)?.type;
  if (kind !== undefined && kind !== 'table') {
    throw new StartupError('data', `${file} is damaged: ${table} is a ${String(kind)}, not a table.`);
  }
  const rows = database.prepare('SELECT name, lower(type) AS type FROM pragma_table_info(?)').all(table);
  return columnsSchema.parse(rows);
}

/** @param where the beginning of what is told of a value that is none of ours, or too large for JavaScript */
function* readable(rows: Iterable<unknown>, where: string): Iterable<Row> {
  try {
    for (const row of rows) yield rowSchema.parse(row);
  } catch (error) {
    if (!(error instanceof z.ZodError || error instanceof RangeError)) throw error;
    throw new StartupError('data', `${where} holds a value that Soku never writes.`);
  }
}

function refuseOtherTypes(
  table: string,
  columns: readonly string[],
  row: Row,
  types: ReadonlyMap<string, string>,
): void {
  const wrong = columns.find((column, i) => {
    const value = row[i] ?? null;
    return value !== null && holds[types.get(column) ?? '']?.(value) !== true;
  });
  if (wrong === undefined) return;
  throw new StartupError('data', `The column ${wrong} of the table ${table} holds a value of another type.`);
}
