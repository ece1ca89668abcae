import { createReadStream, readFileSync, statSync } from 'node:fs';
import { readImportHeader, readImportRow } from '@soku/contract/import-table';
import { redactKeys } from '@soku/key';
import { CsvError, parse } from 'csv-parse';
import { z } from 'zod';
import { StartupError } from '../startup-error.ts';

export type ImportFormat = 'csv' | 'json';

/** A row of a file: an unchecked key, or why there is none. */
export type FileRow = { key: unknown; problem?: never } | { key?: never; problem: string };

/** In bytes. Much more than a key needs: a quote that is never closed would otherwise read the whole file as one row. */
const maxRowSize = 64 * 1024;

/** In bytes. A JSON file is read as a whole; a CSV file has no limit. */
const maxJsonSize = 256 * 1024 * 1024;

const recordSchema = z.object({ record: z.array(z.string()), info: z.object({ lines: z.number() }) });

/**
 * Reads the rows of a file, each with its place: the line of a CSV file, or the position in a JSON list, from 0.
 *
 * @throws {StartupError} 65 if the file does not have the format, 73 if it cannot be read
 */
export async function* readImportFile(
  file: string,
  format: ImportFormat,
): AsyncGenerator<[place: number, row: FileRow]> {
  try {
    yield* format === 'csv' ? readCsv(file) : readJson(file);
  } catch (error) {
    if (error instanceof CsvError) throw invalid(file, redactKeys(error.message));
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new StartupError('cannotCreate', `${file} cannot be read (${error.message}).`);
  }
}

async function* readCsv(file: string): AsyncGenerator<[number, FileRow]> {
  const parser = parse({
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: maxRowSize,
  });
  const input = createReadStream(file);
  input.once('error', (error) => parser.destroy(error)).pipe(parser);
  let header: ReturnType<typeof readImportHeader> | undefined;
  try {
    for await (const row of parser) {
      const { record, info } = recordSchema.parse(row);
      if (header?.columns !== undefined) {
        yield [
          info.lines,
          isUtf8(record) ? readImportRow(header.columns, record) : { problem: 'is not UTF-8' },
        ];
        continue;
      }
      header = readImportHeader(record);
      if (header.problem !== undefined) throw invalid(file, `in the header, ${header.problem}`);
    }
  } finally {
    input.destroy();
  }
  if (header === undefined) throw invalid(file, 'it is empty');
}

/** Bytes that are not UTF-8 were replaced. */
function isUtf8(record: readonly string[]): boolean {
  return !record.some((cell) => cell.includes('\ufffd'));
}

function* readJson(file: string): Generator<[number, FileRow]> {
  if (statSync(file).size > maxJsonSize)
    throw invalid(file, `it has more than ${maxJsonSize / 1024 / 1024} MiB. Split it, or convert it to CSV`);
  for (const [i, key] of parseJson(file).entries()) yield [i, { key }];
}

function parseJson(file: string): readonly unknown[] {
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file)));
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw error;
    throw invalid(file, 'it is not JSON in UTF-8');
  }
  const list = z.union([
    z.array(z.unknown()),
    z.object({ keys: z.array(z.unknown()) }).transform(({ keys }) => keys),
  ]);
  const { data } = list.safeParse(content);
  if (data === undefined)
    throw invalid(file, 'it is neither a list of keys nor an object with a list "keys"');
  return data;
}

function invalid(file: string, problem: string): StartupError {
  return new StartupError('data', `${file} cannot be imported: ${problem}.`);
}
