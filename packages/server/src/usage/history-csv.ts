import type { UsageHistory } from '@soku/contract/usage-history';

/** Lines per chunk. */
const linesPerChunk = 500;

/** The requests of each period: one column for each code with rejections. */
export function* requestLines({ periods, refusedBy }: UsageHistory): Generator<string, void> {
  const codes = Object.keys(refusedBy).sort();
  yield line(['from', 'to', 'accepted', 'rejected', ...codes.map((code) => `rejected: ${code}`)]);
  for (const period of periods) {
    const { from, to, accepted, refused } = period;
    yield line([from, to, accepted, refused, ...codes.map((code) => period.refusedBy[code] ?? 0)]);
  }
}

/** The addresses and programs. */
export function* clientLines({ clients }: UsageHistory): Generator<string, void> {
  yield line(['kind', 'name', 'accepted (estimate)']);
  for (const { name, requests } of clients.addresses) yield line(['address', name, requests]);
  yield line(['other addresses', '', clients.otherAddresses]);
  for (const { name, requests } of clients.programs) yield line(['program', name, requests]);
  yield line(['other programs', '', clients.otherPrograms]);
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

function line(cells: readonly (string | number)[]): string {
  return `${cells.map(cellOf).join(',')}\r\n`;
}

/**
 * A cell as in RFC 4180. A client chooses its `User-Agent`, and spreadsheets run a text as a formula if it begins with one
 * of these characters, so an apostrophe precedes it. Some spreadsheets also split at a semicolon or a tab.
 */
function cellOf(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const text = value.replace(/(^|[;\t\r\n])(?=[=+\-@\t\r])/g, "$1'");
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
