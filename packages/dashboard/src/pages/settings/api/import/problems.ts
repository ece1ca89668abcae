import { csvLine } from '@soku/contract/csv';
import { columnOfPath } from '@soku/contract/import-table';
import type { ImportResult } from '@soku/contract/imports';
import type { ImportFile } from './read-file.ts';

type Problem = ImportResult['problems'][number];

const texts: Record<string, string> = {
  hash_unavailable:
    'cannot be imported: this hash belongs to a revoked key or a retired secret, or is in use elsewhere',
};

/** Continues a sentence that starts with the field. */
export function problemText({ problem }: Pick<Problem, 'problem'>): string {
  return (Object.hasOwn(texts, problem) ? texts[problem] : undefined) ?? problem;
}

/** The problems as a CSV file. */
export function toCsv(file: Pick<ImportFile, 'numbers'>, problems: readonly Problem[]): string {
  const lines = problems.map(({ index, path, problem }) =>
    csvLine([file.numbers[index] ?? index, columnOfPath(path), problemText({ problem })]),
  );
  return [csvLine(['row', 'field', 'problem']), ...lines].join('');
}
