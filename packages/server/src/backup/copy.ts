import { createHash, type Hash } from 'node:crypto';
import { z } from 'zod';
import { StartupError } from '../startup-error.ts';
import type { CopyEndpoint, SqlRow } from './endpoint.ts';
import type { TableKeys } from './tables.ts';

/** The number of rows of each table, and the SHA-256 of all of them in order. */
export const tableDigestsSchema = z.record(z.string(), z.object({ rows: z.number(), sha256: z.string() }));
export type TableDigests = z.infer<typeof tableDigestsSchema>;

/** Called regularly with the number of rows of a table that were copied so far. */
export type Progress = (table: string, rows: number) => void;

/**
 * Copies all rows of some tables, in the columns that `to` has. It copies nothing else from `from`: no triggers, views,
 * indexes or types.
 *
 * @returns a summary of what was read
 * @throws {StartupError} 65 if `from` lacks one of the columns
 */
export function copyTables(
  from: CopyEndpoint,
  to: CopyEndpoint,
  tables: TableKeys,
  progress: Progress,
): Promise<TableDigests> {
  const columnsOf = async (table: string) => {
    const [found, required] = await Promise.all([from.columns(table), to.columns(table)]);
    const missing = required.find((column) => !found.includes(column));
    if (missing === undefined) return required;
    throw new StartupError('data', `${from.name} is damaged: the table ${table} has no column ${missing}.`);
  };
  return readAll(from, tables, columnsOf, async (table, columns, rows, done) => {
    await to.insert(table, columns, rows);
    progress(table, done);
  });
}

/** Summarizes some tables of a database, for comparison with another one. */
export function digestTables(side: CopyEndpoint, tables: TableKeys): Promise<TableDigests> {
  return readAll(
    side,
    tables,
    (table) => side.columns(table),
    async () => undefined,
  );
}

/** The first table in which two contents differ. */
export function findDifferingTable(one: TableDigests, other: TableDigests): string | undefined {
  return Object.keys({ ...one, ...other }).find((table) => {
    return one[table]?.rows !== other[table]?.rows || one[table]?.sha256 !== other[table]?.sha256;
  });
}

async function readAll(
  side: CopyEndpoint,
  tables: TableKeys,
  columnsOf: (table: string) => Promise<string[]>,
  take: (table: string, columns: string[], rows: SqlRow[], done: number) => Promise<void>,
): Promise<TableDigests> {
  const content: TableDigests = {};
  for (const [table, key] of Object.entries(tables)) {
    const columns = (await columnsOf(table)).sort();
    if (columns.length === 0) continue;
    const hash = createHash('sha256').update(JSON.stringify(columns));
    let done = 0;
    for await (const rows of side.rows(table, columns, key)) {
      addTo(hash, rows);
      done += rows.length;
      await take(table, columns, rows, done);
    }
    content[table] = { rows: done, sha256: hash.digest('hex') };
  }
  return content;
}

function addTo(hash: Hash, rows: readonly SqlRow[]): void {
  for (const row of rows) {
    const values = row.map((value) =>
      value instanceof Uint8Array ? { hex: Buffer.from(value).toString('hex') } : value,
    );
    hash.update(JSON.stringify(values));
  }
}
