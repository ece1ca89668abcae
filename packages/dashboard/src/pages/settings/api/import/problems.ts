import type { ImportResult } from '@soku/contract/imports';
import type { ImportFile } from './read-file.ts';

type Problem = ImportResult['problems'][number];

/** The number of a row as spreadsheets count: the header of a CSV file is row 1. */
export function rowNumber({ format }: Pick<ImportFile, 'format'>, index: number): number {
  return format === 'csv' ? index + 2 : index + 1;
}

const texts: Record<string, string> = {
  hash_unavailable: 'cannot be imported: a key with this hash was revoked, or is in use elsewhere',
};

/** Continues a sentence that starts with the field. */
export function problemText({ problem }: Pick<Problem, 'problem'>): string {
  return (Object.hasOwn(texts, problem) ? texts[problem] : undefined) ?? problem;
}

/** The problems as a CSV file. */
export function toCsv(file: ImportFile, problems: readonly Problem[]): string {
  const lines = problems.map(({ index, path, problem }) =>
    [String(rowNumber(file, index)), path, problemText({ problem })].map(quote).join(','),
  );
  return ['row,field,problem', ...lines, ''].join('\r\n');
}

function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
