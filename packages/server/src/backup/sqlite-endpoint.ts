import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { StartupError } from '../startup-error.ts';
import { type CopyEndpoint, quoteIdentifier, rowsPerBatch, type SqlRow } from './endpoint.ts';
import { createValueCheck } from './values.ts';

/**
 * Maximum size of a value, in bytes or characters. The server writes only far smaller values, and an untrusted backup
 * must not exhaust the memory.
 */
const maxValueLength = 1024 * 1024;

const rowSchema = z.array(
  z.union([
    z.string().max(maxValueLength),
    z.number(),
    z.null(),
    z.instanceof(Uint8Array).refine(({ length }) => length <= maxValueLength),
  ]),
);

const columnsSchema = z.array(z.object({ name: z.string(), type: z.string().toLowerCase() }));

/**
 * @param database a database in a transaction, so that all reads see the same snapshot
 * @param name the name of its file
 */
export function sqliteEndpoint(database: DatabaseSync, name: string): CopyEndpoint {
  return {
    name,
    columns: async (table) => tableColumns(database, name, table).map((column) => column.name),
    async *rows(table, columns, key) {
      const names = columns.map(quoteIdentifier).join(', ');
      const statement = database.prepare(
        `SELECT ${names} FROM ${quoteIdentifier(table)} ORDER BY ${key.map(quoteIdentifier).join(', ')}`,
      );
      statement.setReturnArrays(true);
      let batch: SqlRow[] = [];
      for (const row of readable(statement.iterate(), `${name} is damaged: the table ${table}`)) {
        batch.push(row);
        if (batch.length < rowsPerBatch) continue;
        yield batch;
        batch = [];
      }
      if (batch.length > 0) yield batch;
    },
    async insert(table, columns, rows) {
      const names = columns.map(quoteIdentifier).join(', ');
      const places = columns.map(() => '?').join(', ');
      const statement = database.prepare(
        `INSERT INTO ${quoteIdentifier(table)} (${names}) VALUES (${places})`,
      );
      const types = new Map(tableColumns(database, name, table).map((column) => [column.name, column.type]));
      const check = createValueCheck(table, columns, types);
      for (const row of rows) {
        check(row);
        statement.run(...row);
      }
    },
  };
}

/**
 * @returns an empty array if the table does not exist
 * @throws {StartupError} 65 if it is a view or a virtual table, because reading one would run code in the file
 */
export function tableColumns(database: DatabaseSync, file: string, table: string) {
  // Uses PRAGMA statements, because a table in the file can shadow a function such as pragma_table_list.
  const kind = database.prepare(`PRAGMA main.table_list(${quoteIdentifier(table)})`).get()?.type;
  if (kind !== undefined && kind !== 'table') {
    throw new StartupError('data', `${file} is damaged: ${table} is a ${String(kind)}, not a table.`);
  }
  return columnsSchema.parse(database.prepare(`PRAGMA main.table_info(${quoteIdentifier(table)})`).all());
}

/** @param where the beginning of the message for a value that Soku never writes, or that is too large for JavaScript */
function* readable(rows: Iterable<unknown>, where: string): Iterable<SqlRow> {
  try {
    for (const row of rows) yield rowSchema.parse(row);
  } catch (error) {
    if (!(error instanceof z.ZodError || error instanceof RangeError)) throw error;
    throw new StartupError('data', `${where} contains a value that Soku never writes.`);
  }
}
