import { existsSync, realpathSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { isPrefix } from '@soku/key';
import { readConfig } from '../config.ts';
import { formatBaseline, InvalidBaseline, readBaseline } from '../scan/baseline.ts';
import { reasonOf } from '../scan/files.ts';
import { KeyFinder } from '../scan/find-in-text.ts';
import { hashOfKey, sanitizeForOutput } from '../scan/leak.ts';
import { formatText } from '../scan/report.ts';
import { formatSarif } from '../scan/sarif.ts';
import { type Incident, type ScanResult, scan } from '../scan/scan.ts';
import {
  createIntervalCheck,
  formatCount,
  resolveOperatorPath,
  type Terminal,
  UsageError,
} from './command-line.ts';

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
  /** Whether a repository without its whole history can be clean. */
  allowIncomplete: boolean;
  since: string | undefined;
  baseline: string | undefined;
}

type Format = (result: ScanResult, prefixes: readonly string[]) => string;

const formats = new Map<string, Format>([
  ['text', ({ leaks }, prefixes) => formatText(leaks, prefixes, realpathSync(resolveOperatorPath('.')))],
  ['sarif', formatSarif],
  ['baseline', ({ leaks }, prefixes) => formatBaseline(leaks, prefixes)],
]);

/**
 * `scan PATH...`: finds full keys of this deployment in files, in the history of Git repositories, and in standard
 * input (`-`). It needs neither the server nor the database.
 *
 * @returns the exit code: 0 if everything was searched and no key was found
 */
export async function scanCommand(args: string[], options: Options, terminal: Terminal): Promise<number> {
  const { history, since, baseline } = options;
  const format = formats.get(options.format ?? 'text');
  if (format === undefined) throw new UsageError('--format must be text, sarif or baseline.');
  if (since !== undefined && !history) throw new UsageError('--since and --no-history exclude each other.');
  const paths = readPaths(args.filter((arg) => arg !== '-'));
  const input = args.includes('-') ? bytesOf(terminal.stdin) : undefined;
  if (paths.length === 0 && input === undefined)
    throw new UsageError('This command requires at least one file or folder, or - for standard input.');
  const prefixes = options.prefix ?? readConfig(terminal.env).keyPrefixes;
  if (!prefixes.every(isPrefix))
    throw new UsageError('--prefix must be the prefix of keys, such as sk_live_.');
  const known = baseline === undefined ? new Set<string>() : readKnown(baseline);
  const progress = reportProgress(terminal);
  const result = await scan(new KeyFinder(prefixes), paths, { history, since, input, progress });
  const isKnown = ({ key }: { key: string }) => known.has(hashOfKey(key));
  const show = ({ path, reason }: Incident) => ({
    path: sanitizeForOutput(path, prefixes),
    reason: sanitizeForOutput(reason, prefixes),
  });
  const fresh = {
    ...result,
    leaks: result.leaks.filter((leak) => !isKnown(leak)),
    problems: result.problems.map(show),
    gaps: result.gaps.map(show),
  };
  const report = format(fresh, prefixes);
  if (report !== '') terminal.console.log(report);
  return summarize(fresh, countKeys(result.leaks.filter(isKnown)), options, terminal);
}

function readPaths(args: string[]): string[] {
  const paths = args.map(resolveOperatorPath);
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined) throw new UsageError(`${missing} does not exist.`);
  return paths;
}

function readKnown(file: string): Set<string> {
  const path = resolveOperatorPath(file);
  if (!existsSync(path)) throw new UsageError(`${path} does not exist.`);
  try {
    return readBaseline(path);
  } catch (error) {
    const reason =
      error instanceof InvalidBaseline ? error.message : `it cannot be read (${reasonOf(error)})`;
    throw new UsageError(`${path}: ${reason}.`);
  }
}

async function* bytesOf(stdin: Readable): AsyncGenerator<Uint8Array> {
  for await (const piece of stdin) yield piece instanceof Uint8Array ? piece : Buffer.from(String(piece));
}

function countKeys(leaks: ScanResult['leaks']): number {
  return new Set(leaks.map(({ key }) => key)).size;
}

/** @returns the exit code */
function summarize(
  { leaks, searched, problems, gaps }: ScanResult,
  known: number,
  { history, allowIncomplete }: Options,
  { console }: Terminal,
): number {
  for (const { path, reason } of problems) console.error(`soku: ${path} was not searched: ${reason}`);
  for (const { path, reason } of gaps)
    console.error(`soku: ${path} was searched, but is incomplete: ${reason}`);
  const isComplete = problems.length === 0 && gaps.length === 0;
  const keys = formatCount(countKeys(leaks), 'key');
  const none = isComplete ? 'no keys' : 'no keys in what was searched';
  const places = leaks.length === 0 ? none : `${keys} in ${formatCount(leaks.length, 'place')}`;
  const others = known === 0 ? '' : `, and ${formatCount(known, 'key')} of the baseline`;
  const versions = history ? ' and versions of files' : '';
  console.error(`soku: Found ${places}${others}. Searched ${formatCount(searched, 'file')}${versions}.`);
  if (leaks.length > 0) return found;
  return problems.length > 0 || (gaps.length > 0 && !allowIncomplete) ? incomplete : 0;
}

function reportProgress(terminal: Terminal): (searched: number) => void {
  const isDue = createIntervalCheck(progressInterval);
  return (searched) => {
    if (isDue()) terminal.console.error(`soku: ${searched.toLocaleString('en')} searched`);
  };
}
