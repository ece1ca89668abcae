import { csvLine } from '@soku/contract/csv';
import type { UsageHistory } from '@soku/contract/usage-history';

/** Lines per chunk. */
const linesPerChunk = 500;

/** The requests of each period: one column for each code with rejections. */
export function* requestLines({ periods, refusedBy }: UsageHistory): Generator<string, void> {
  const codes = Object.keys(refusedBy).sort();
  yield csvLine(['from', 'to', 'accepted', 'rejected', ...codes.map((code) => `rejected: ${code}`)]);
  for (const period of periods) {
    const { from, to, accepted, refused } = period;
    yield csvLine([from, to, accepted, refused, ...codes.map((code) => period.refusedBy[code] ?? 0)]);
  }
}

/** The addresses and programs. */
export function* clientLines({ clients }: UsageHistory): Generator<string, void> {
  yield csvLine(['kind', 'name', 'accepted (estimate)']);
  for (const { name, requests } of clients.addresses) yield csvLine(['address', name, requests]);
  yield csvLine(['other addresses', '', clients.otherAddresses]);
  for (const { name, requests } of clients.programs) yield csvLine(['program', name, requests]);
  yield csvLine(['other programs', '', clients.otherPrograms]);
}

/** Joins lines, because sending each alone would be slow. */
export function* inChunks(lines: Iterable<string>): Generator<string, void> {
  let chunk: string[] = [];
  for (const one of lines) {
    chunk.push(one);
    if (chunk.length < linesPerChunk) continue;
    yield chunk.join('');
    chunk = [];
  }
  yield chunk.join('');
}
