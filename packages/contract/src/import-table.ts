/**
 * Rows of a table, such as a CSV file, as keys to import. The dashboard and the operator's command read tables in the same
 * way.
 */
import { type ImportKey, importKeySchema } from './imports.ts';

export type ImportColumn = keyof ImportKey;

/** The columns that a table can have, in any order. Each is a field of a key. */
export const importColumns: readonly ImportColumn[] = importKeySchema.keyof().options;

const required: readonly ImportColumn[] = ['name', 'hash'];

/** Ignores case, spaces, hyphens and underscores: `Preview Start` and `preview_start` are `previewStart`. */
function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_-]/g, '');
}

/**
 * Reads the header of a table.
 *
 * @param cells the names of the columns
 * @returns the field of each column, or what is wrong
 */
export function readImportHeader(
  cells: readonly string[],
): { columns: ImportColumn[]; problem?: never } | { columns?: never; problem: string } {
  const columns: ImportColumn[] = [];
  for (const [i, cell] of cells.entries()) {
    const column = importColumns.find((name) => fold(name) === fold(cell));
    if (column === undefined) {
      return {
        problem: `column ${i + 1} is not a field of a key. The fields are: ${importColumns.join(', ')}`,
      };
    }
    if (columns.includes(column)) return { problem: `there are two columns ${column}` };
    columns.push(column);
  }
  const missing = required.find((name) => !columns.includes(name));
  return missing === undefined ? { columns } : { problem: `the column ${missing} is missing` };
}

/**
 * Converts a row of a table to a key, which `checkImportKey` must check. With an empty cell, the key does not have the
 * field.
 *
 * @param columns the field of each cell
 */
export function readImportRow(
  columns: readonly ImportColumn[],
  cells: readonly string[],
): { key: unknown; problem?: never } | { key?: never; problem: string } {
  if (cells.length !== columns.length)
    return { problem: `has ${cells.length} cells, and the header has ${columns.length}` };
  const fields = columns.flatMap((column, i) => {
    const text = cells[i]?.trim() ?? '';
    return text === '' && column !== 'name' ? [] : [[column, readCell(column, text)]];
  });
  return { key: Object.fromEntries(fields) };
}

/** The column that a problem of `checkImportKey` is about: `scopes.0` is a part of the cell in the column `scopes`. */
export function columnOfPath(path: string): string {
  return path.split('.', 1).join();
}

/** A cell that cannot be read stays a text, which `checkImportKey` rejects. */
function readCell(column: ImportColumn, text: string): unknown {
  switch (column) {
    case 'scopes':
    case 'allowedAddresses':
      return text.split(/\s+/);
    case 'rateLimit':
      return /^\d{1,15}$/.test(text) ? Number(text) : text;
    case 'metadata':
      return readJson(text);
    default:
      return text;
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
