/** Reads a file of keys to import. Loaded when a file is chosen. */
import { maxImportedKeys } from '@soku/contract/imports';
import { CsvError, parse } from 'csv-parse/browser/esm/sync';
import { z } from 'zod';
import { formatNumber } from '../../../../components/format-number.ts';

export interface ImportFile {
  name: string;
  columns: string[];
  /** The cells of each row, in the order of the columns. */
  rows: string[][];
  /** The number of each row as spreadsheets count: the header of a CSV file is row 1, and empty lines count. */
  numbers: number[];
}

/** A file that cannot be imported. */
export class UnsuitableFile extends Error {
  /** `too-many`: the command line can import it. `keys`: it must not be imported. */
  readonly kind: 'unreadable' | 'too-many' | 'keys';

  constructor(kind: UnsuitableFile['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** In bytes: more than 10,000 rows have in practice. */
const maxFileSize = 16 * 1024 * 1024;

/**
 * @param prefixes the prefixes of this deployment's keys
 * @throws {UnsuitableFile}
 */
export async function readTableFile(file: File, prefixes: readonly string[]): Promise<ImportFile> {
  if (file.size > maxFileSize) throw new UnsuitableFile('too-many', 'The file is larger than 16 MB.');
  const text = readUtf8(await file.arrayBuffer());
  const isJson = /\.jsonl?$/i.test(file.name) || /^\s*[[{]/.test(text);
  const table = isJson ? parseJson(text) : parseCsv(text);
  if (table.rows.length === 0) throw new UnsuitableFile('unreadable', 'The file contains no keys.');
  if (table.rows.length > maxImportedKeys) {
    const count = formatNumber(table.rows.length);
    throw new UnsuitableFile(
      'too-many',
      `The file contains ${count} keys. An import can contain at most 10,000.`,
    );
  }
  rejectFullKeys(table, prefixes);
  return { name: file.name, ...table };
}

type Table = Omit<ImportFile, 'name'>;

/** Bytes that are not UTF-8 would be replaced, and stored so. The decoder drops a byte order mark. */
function readUtf8(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UnsuitableFile('unreadable', 'The file is not UTF-8. In a spreadsheet, save it as CSV UTF-8.');
  }
}

function parseCsv(text: string): Table {
  const [header, ...rows] = parseRows(text);
  const columns = header?.record.map((name) => name.trim()) ?? [];
  if (new Set(columns).size < columns.length)
    throw new UnsuitableFile('unreadable', 'Two columns have the same name.');
  const numbers = rows.map(({ info }) => info.records + info.empty_lines);
  return { columns, rows: rows.map(({ record }) => record), numbers };
}

/** Each row, with the number of rows and of empty lines up to it. */
const rowsSchema = z.array(
  z.object({
    record: z.array(z.string()),
    info: z.object({ records: z.number(), empty_lines: z.number() }),
  }),
);

function parseRows(text: string): z.output<typeof rowsSchema> {
  try {
    return rowsSchema.parse(
      parse(text, { delimiter: delimiterOf(text), skip_empty_lines: true, trim: true, info: true }),
    );
  } catch (error) {
    const reason = error instanceof CsvError ? `: ${error.message}` : '';
    throw new UnsuitableFile('unreadable', `The file is not valid CSV${reason}.`);
  }
}

/** Spreadsheets of many countries write semicolons. */
function delimiterOf(text: string): string {
  const [header = ''] = text.split(/\r?\n/, 1);
  const count = (delimiter: string) => header.split(delimiter).length;
  return [';', '\t'].reduce((best, each) => (count(each) > count(best) ? each : best), ',');
}

const objectsSchema = z.array(z.record(z.string(), z.unknown()));
const jsonSchema = z.union([objectsSchema, z.object({ keys: objectsSchema }).transform(({ keys }) => keys)]);

function parseJson(text: string): Table {
  const objects = jsonSchema.safeParse(parseText(text));
  if (!objects.success)
    throw new UnsuitableFile('unreadable', 'The file is JSON, but not a list of objects, one for each key.');
  const columns = [...new Set(objects.data.flatMap(Object.keys))];
  const rows = objects.data.map((object) => {
    const cells = new Map(Object.entries(object));
    return columns.map((column) => toText(cells.get(column)));
  });
  return { columns, rows, numbers: rows.map((_, i) => i + 1) };
}

/** A value of JSON as in a cell of a table. */
function toText(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return value.map(String).join(' ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? `: ${error.message}` : '';
    throw new UnsuitableFile('unreadable', `The file is not valid JSON${reason}.`);
  }
}

/** Full keys must not be sent: only their hashes are needed. */
function rejectFullKeys({ columns, rows }: Table, prefixes: readonly string[]): void {
  const index = columns.findIndex((_, column) => rows.some((row) => isFullKey(row[column] ?? '', prefixes)));
  if (index < 0) return;
  throw new UnsuitableFile(
    'keys',
    `The column "${columns[index]}" contains full keys; import their SHA-256 instead.`,
  );
}

/** A preview has only a few characters after the prefix. Other text, such as a hash, has no prefix. */
const keyRest = /^[\w-]{16}/;

/** Also recognizes keys of an earlier format with the same prefix. */
function isFullKey(cell: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => {
    const [, ...rests] = cell.split(prefix);
    return rests.some((rest) => keyRest.test(rest));
  });
}
