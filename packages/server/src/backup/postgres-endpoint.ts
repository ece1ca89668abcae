import type pg from 'pg';
import { z } from 'zod';
import { type CopyEndpoint, quoteIdentifier, rowsPerBatch, type SqlRow, type SqlValue } from './endpoint.ts';

/** The array element type to send for PostgreSQL types whose values have another form in SQLite. */
const sentAs: Record<string, string> = { boolean: 'integer', 'timestamp with time zone': 'text' };

/** @param client a client in a transaction whose isolation level gives all reads the same snapshot */
export function postgresEndpoint(client: pg.Client): CopyEndpoint {
  return {
    name: 'The database',
    columns: async (table) => Array.from((await typesOf(client, table)).keys()),
    async *rows(table, columns, key) {
      const types = await typesOf(client, table);
      // In the order of SQLite: by bytes, regardless of the database's locale.
      const order = key.map(
        (name) => `${quoteIdentifier(name)}${types.get(name) === 'text' ? ' COLLATE "C"' : ''}`,
      );
      await client.query(
        `DECLARE copied NO SCROLL CURSOR FOR
         SELECT ${columns.map(quoteIdentifier).join(', ')} FROM ${quoteIdentifier(table)} ORDER BY ${order.join(', ')}`,
      );
      for (;;) {
        const { rows } = await client.query({ text: `FETCH ${rowsPerBatch} FROM copied`, rowMode: 'array' });
        if (rows.length === 0) break;
        yield z.array(rowSchema).parse(rows);
      }
      await client.query('CLOSE copied');
    },
    async insert(table, columns, rows) {
      const types = await typesOf(client, table);
      const typeOf = (column: string) => types.get(column) ?? 'text';
      const places = columns.map((name, i) => `$${i + 1}::${sentAs[typeOf(name)] ?? typeOf(name)}[]`);
      const values = columns.map((name, i) => `c${i}::${typeOf(name)}`);
      const text = `INSERT INTO ${quoteIdentifier(table)} (${columns.map(quoteIdentifier).join(', ')})
        SELECT ${values.join(', ')} FROM unnest(${places.join(', ')}) AS u (${columns.map((_, i) => `c${i}`).join(', ')})`;
      await client.query(
        text,
        columns.map((_, i) => columnOf(rows, i)),
      );
    },
  };
}

function columnOf(rows: readonly SqlRow[], index: number): SqlValue[] {
  return rows.map((row) => row[index] ?? null);
}

/** Converts a value to its form in SQLite. */
const valueSchema = z.union([
  z.string(),
  z.number(),
  z.null(),
  z.instanceof(Uint8Array),
  z.boolean().transform(Number),
  z.date().transform((date) => date.toISOString()),
]);
const rowSchema = z.array(valueSchema);

/** The type of each column; empty if the table does not exist. */
async function typesOf(client: pg.Client, table: string): Promise<Map<string, string>> {
  const { rows } = await client.query(
    `SELECT attname AS name, format_type(atttypid, NULL) AS type FROM pg_attribute
     WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
    [quoteIdentifier(table)],
  );
  return new Map(rows.map((row) => [String(row.name), String(row.type)]));
}
