/**
 * Measures each sort of the key list with each filter, in a workspace with many keys, on both databases. Prevents a
 * combination that is slow because no index fits it.
 */
import { hash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { keyListSchema, keySortSchema, sortOrderSchema } from '@soku/contract/keys';
import { workspaceSchema } from '@soku/contract/workspaces';
import type { Person } from '../test/support/person.ts';
import { startServer } from '../test/support/server.ts';
import { abbreviateCount, median } from './figure.ts';
import { keyAt, unknownKeyAt } from './keys.ts';
import { creators, insertKeys } from './list-data.ts';
import { timeRequest } from './request-time.ts';

const help = `npm run bench:list -- [sqlite] [postgres]

Prints the median and the maximum time of each list query, in ms, as a client on the same machine sees it.

  --keys N     number of keys in the workspace (default: 100000)
  --rounds N   requests for each page (default: 5)
  --only TEXT  only the lists whose name contains this text, such as "usage desc" or "preview,"
  --help       show this text
`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    keys: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    help: { type: 'boolean' },
  },
});

/** ms. No query should take longer. */
const goal = 100;

/** How many pages are read to find the last one that is measured. */
const furthest = 100;

const hashOf = (key: string) => hash('sha256', key);

/** By the name in the output. */
const filters: Record<string, Record<string, string>> = {
  active: {},
  all: { status: 'all' },
  revoked: { status: 'revoked' },
  expired: { status: 'expired' },
  'name, an eighth': { q: 'worker' },
  'name, one': { q: 'worker 4321' },
  'name, none': { q: 'no key has this name' },
  'preview, all': { q: 'sk_live_' },
  'preview, one in 40': { q: 'sk_live_2' },
  'preview, few': { q: keyAt(7).slice(8, 11) },
  'preview, none': { q: 'old_' },
  hash: { hash: hashOf(keyAt(7)) },
  'hash, none': { hash: hashOf(unknownKeyAt(1)) },
  'creator, most': { createdBy: creators.most },
  'creator, 5 %': { createdBy: creators.some },
  'creator, few': { createdBy: creators.few },
  'scope, 28 %': { scope: 'keys:read' },
  'scope, few': { scope: 'audit:read' },
  'scope, none': { scope: 'keys:verify' },
  'unused for 30 days': { unusedDays: '30' },
  'unused for 119 days': { unusedDays: '119' },
  'expires in 14 days': { expiresWithinDays: '14' },
  'unused, scope and creator': { unusedDays: '30', scope: 'keys:read', createdBy: creators.some },
  'with counts': { include: 'counts' },
  'with usage': { include: 'usage', status: 'all' },
  'name, an eighth, with both': { q: 'worker', include: 'counts,usage' },
};

interface Measured {
  query: string;
  page: number;
  median: number;
  max: number;
}

if (options.help) console.log(help);
else {
  for (const kind of positionals.length === 0 ? ['sqlite', 'postgres'] : positionals) {
    if (kind !== 'sqlite' && kind !== 'postgres') throw new Error(`unknown database: ${kind}`);
    await run(kind, Number(options.keys), Number(options.rounds));
  }
  // Also ends PostgreSQL.
  process.exit();
}

async function run(kind: 'sqlite' | 'postgres', keys: number, rounds: number): Promise<void> {
  const server = await startServer({ database: kind });
  try {
    const person = await server.signIn();
    const workspace = workspaceSchema.parse((await person.call('GET', '/v1/workspace')).body);
    const { DATABASE_URL: url } = server.env;
    await insertKeys(url === undefined ? server : { url }, workspace.id, keys);
    console.log(`\n${kind}, ${abbreviateCount(keys)} keys in one workspace, ${rounds} requests per page\n`);
    console.log(`${'list'.padEnd(52)}${'page'.padStart(5)}${'median'.padStart(9)}${'max'.padStart(9)}`);
    const measured: Measured[] = [];
    for (const list of lists()) measured.push(...(await measure(person, list, rounds)));
    summarize(measured);
  } finally {
    await server.stop();
  }
}

/** A sorted and filtered list. */
interface List {
  name: string;
  query: URLSearchParams;
}

function lists(): List[] {
  const all = keySortSchema.options.flatMap((sort) =>
    sortOrderSchema.options.flatMap((order) =>
      Object.entries(filters).map(([name, filter]) => ({
        name: `${sort} ${order}, ${name}`,
        query: new URLSearchParams({ sort, order, ...filter }),
      })),
    ),
  );
  return all.filter(({ name }) => name.includes(options.only));
}

async function measure(person: Person, { name, query }: List, rounds: number): Promise<Measured[]> {
  const measured: Measured[] = [];
  for (const [page, cursor] of await pagesOf(person, query)) {
    const path = `/v1/api-keys?${query}${cursor === null ? '' : `&cursor=${cursor}`}`;
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) times.push(await timeRequest(person, path));
    measured.push({ query: name, page, median: median(times), max: Math.max(...times) });
  }
  for (const row of measured) print(row);
  return measured;
}

/** The cursors of the first page, the second one, and the last one within reach. */
async function pagesOf(person: Person, query: URLSearchParams): Promise<[number, string | null][]> {
  const cursors: (string | null)[] = [null];
  while (cursors.length < furthest) {
    const cursor: string | null = cursors.at(-1) ?? null;
    const path = `/v1/api-keys?${query}&limit=100${cursor === null ? '' : `&cursor=${cursor}`}`;
    const { nextCursor } = keyListSchema.parse((await person.call('GET', path)).body);
    if (nextCursor === null) break;
    cursors.push(nextCursor);
  }
  const numbers = new Set([0, Math.min(1, cursors.length - 1), cursors.length - 1]);
  return [...numbers].map((number) => [number + 1, cursors[number] ?? null]);
}

function print({ query, page, median: middle, max }: Measured): void {
  const mark = max > goal ? '  slow' : '';
  console.log(
    `${query.padEnd(52)}${String(page).padStart(5)}${middle.toFixed(1).padStart(9)}${max.toFixed(1).padStart(9)}${mark}`,
  );
}

function summarize(measured: readonly Measured[]): void {
  const slow = measured.filter(({ max }) => max > goal).length;
  const medians = measured.map((row) => row.median);
  const maxima = measured.map((row) => row.max);
  console.log(
    `\n${measured.length} pages: median ${median(medians).toFixed(1)} ms, slowest median ${Math.max(...medians).toFixed(1)} ms, maximum ${Math.max(...maxima).toFixed(1)} ms, ${slow} over ${goal} ms`,
  );
}
