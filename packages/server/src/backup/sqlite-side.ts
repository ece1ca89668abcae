import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { quoted, type Row, type Side, sliceRows } from './side.ts';

const rowSchema = z.array(z.union([z.string(), z.number(), z.null(), z.instanceof(Uint8Array)]));

/** @param database inside a transaction, so that all reads see the same */
export function sqliteSide(database: DatabaseSync): Side {
  return {
    async columns(table) {
      const rows = database.prepare('SELECT name FROM pragma_table_info(?)').all(table);
      return rows.map((row) => String(row.name));
    },
    async *rows(table, columns, key) {
      const names = columns.map(quoted).join(', ');
      const statement = database.prepare(
        `SELECT ${names} FROM ${quoted(table)} ORDER BY ${key.map(quoted).join(', ')}`,
      );
      statement.setReturnArrays(true);
      let slice: Row[] = [];
      for (const row of statement.iterate()) {
        slice.push(rowSchema.parse(row));
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
      for (const row of rows) statement.run(...row);
    },
  };
}
