import { readFileSync } from 'node:fs';
import { describePreview, hashOfKey, type Leak } from './leak.ts';

export class InvalidBaseline extends Error {
  override readonly name = 'InvalidBaseline';
}

const header =
  '# Known keys: the SHA-256 and the preview of each. soku scan --baseline does not report them.';

/** One line for each key. No part of it contains more of the key than its preview. */
export function formatBaseline(leaks: readonly Leak[], prefixes: readonly string[]): string {
  const lines = leaks.map(({ key }) => `${hashOfKey(key)} ${describePreview(key, prefixes)}`);
  return [header, ...[...new Set(lines)].sort()].join('\n');
}

/**
 * @returns the SHA-256 of each key of a file that `formatBaseline` wrote; only the first word of a line counts
 * @throws {InvalidBaseline} without the text of the file, which could be a key
 */
export function readBaseline(path: string): Set<string> {
  const hashes = new Set<string>();
  for (const [index, line] of readFileSync(path, 'utf8').split('\n').entries()) {
    const text = line.trim();
    if (text === '' || text.startsWith('#')) continue;
    const [hash] = /^[0-9a-f]{64}(?=\s|$)/.exec(text) ?? [];
    if (hash === undefined) throw new InvalidBaseline(`line ${index + 1} does not begin with a SHA-256`);
    hashes.add(hash);
  }
  return hashes;
}
