import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { StartupError } from '../startup-error.ts';
import { quoted, type Row, type Side, sliceRows } from './side.ts';
import { valueCheck } from './values.ts';

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

const columnsSchema = z.array(z.object({ name: z.string(), type: z.string().toLowerCase() }));

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
      const check = valueCheck(table, columns, types);
      for (const row of rows) {
        check(row);
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
  // As statements: a table of the file can have the name of a function such as pragma_table_list, and then hides it.
  const kind = database.prepare(`PRAGMA main.table_list(${quoted(table)})`).get()?.type;
  if (kind !== undefined && kind !== 'table') {
    throw new StartupError('data', `${file} is damaged: ${table} is a ${String(kind)}, not a table.`);
  }
  return columnsSchema.parse(database.prepare(`PRAGMA main.table_info(${quoted(table)})`).all());
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
