/** Parts of the pages that measured proofs are written to. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { machine } from '../../bench/machine.ts';
import { quantile } from './counts.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** When, from which commit and where a page is written. */
export function origin(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--', 'packages') === '' ? '' : ', with changes';
  const date = new Date().toISOString().slice(0, 10);
  return `on ${date}, at commit ${git('rev-parse', '--short=10', 'HEAD')}${changed}, on ${machine}`;
}

/** @param name of a file in docs/ */
export function writePage(name: string, text: string): void {
  writeFileSync(`${root}/docs/${name}`, text);
}

/** The first column is a title, and the others contain numbers. */
export function markdownTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const separators = titles.map((_, i) => (i === 0 ? '---' : '---:'));
  return [titles, separators, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** p50, p99 and maximum. */
export function quantiles(values: readonly number[]): string[] {
  return [0.5, 0.99, 1].map((share) => formatQuantile(values, share));
}

/** A quantile of durations in ms; empty without values. */
export function formatQuantile(values: readonly number[], share: number): string {
  return quantile(values, share)?.toFixed(0) ?? '';
}

export function formatInteger(number: number): string {
  return number.toLocaleString('en');
}
