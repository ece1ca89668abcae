import { existsSync } from 'node:fs';
import { isPrefix } from '@soku/key';
import { readConfig } from '../config.ts';
import { KeyFinder } from '../scan/find-in-text.ts';
import { formatSarif, formatText } from '../scan/report.ts';
import { type ScanResult, scan } from '../scan/scan.ts';
import { every, formatCount, resolveOperatorPath, type Terminal, UsageError } from './command-line.ts';

/** Exit codes, like those of other scanners: CI fails in both cases. */
const found = 1;
const incomplete = 66;

/** Time in ms between two progress lines. */
const progressInterval = 2000;

interface Options {
  /** Instead of the prefixes of the configuration. */
  prefix: string[] | undefined;
  format: string | undefined;
  history: boolean;
}

/**
 * `scan PATH...`: finds whole keys of this deployment in files and in the history of Git repositories. It needs neither
 * the server nor the database.
 *
 * @returns the exit code: 0 if everything was searched and no key was found
 */
export async function scanCommand(args: string[], options: Options, terminal: Terminal): Promise<number> {
  const { history, format = 'text' } = options;
  if (format !== 'text' && format !== 'sarif') throw new UsageError('--format must be text or sarif.');
  const paths = readPaths(args);
  const prefixes = options.prefix ?? readConfig(terminal.env).keyPrefixes;
  if (!prefixes.every(isPrefix))
    throw new UsageError('--prefix must be the prefix of keys, such as sk_live_.');
  const progress = reportProgress(terminal);
  const result = await scan(new KeyFinder(prefixes), paths, { history, progress });
  const base = resolveOperatorPath('.');
  const report = (format === 'sarif' ? formatSarif : formatText)(result.leaks, prefixes, base);
  if (report !== '') terminal.console.log(report);
  return summarize(result, history, terminal);
}

function readPaths(args: string[]): string[] {
  if (args.length === 0) throw new UsageError('This command requires at least one file or folder.');
  const paths = args.map(resolveOperatorPath);
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined) throw new UsageError(`${missing} does not exist.`);
  return paths;
}

/** @returns the exit code */
function summarize({ leaks, searched, problems }: ScanResult, history: boolean, terminal: Terminal): number {
  for (const { path, reason } of problems)
    terminal.console.error(`soku: ${path} was not searched: ${reason}`);
  const keys = formatCount(new Set(leaks.map(({ key }) => key)).size, 'key');
  const places = leaks.length === 0 ? 'no keys' : `${keys} in ${formatCount(leaks.length, 'place')}`;
  const versions = history ? ' and versions of files' : '';
  terminal.console.error(`soku: Found ${places}. Searched ${formatCount(searched, 'file')}${versions}.`);
  if (leaks.length > 0) return found;
  return problems.length > 0 ? incomplete : 0;
}

function reportProgress(terminal: Terminal): (searched: number) => void {
  const isDue = every(progressInterval);
  return (searched) => {
    if (isDue()) terminal.console.error(`soku: ${searched.toLocaleString('en')} searched`);
  };
}
