import { existsSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyListSchema } from '@soku/contract/keys';
import { workspaceSchema } from '@soku/contract/workspaces';
import type { Person } from '../../test/support/person.ts';
import { runOperator, startServer } from '../../test/support/server.ts';
import { abbreviateCount, type Figure, type Sizes } from '../figure.ts';
import { insertKeys } from '../list-data.ts';
import { startSoku } from '../measured-programs.ts';
import { childrenCpuTimeMs, cpuMsDuring, preciseCpuTimeMs, residentBytes } from '../process-usage.ts';
import { timeRequest } from '../request-time.ts';
import { databaseBytes } from '../seeded.ts';

/** Requests for each list; the figure is their median. */
const requests = 5;

/** How far the list is read page by page, 100 keys each. */
const furthest = 100;

/** By name. */
const lists: Record<string, Record<string, string>> = {
  'newest first': {},
  'by name': { sort: 'name' },
  'by last use': { sort: 'lastUsed' },
  'by usage': { sort: 'usage' },
  'by expiry': { sort: 'expires' },
  'with counts': { include: 'counts' },
  'search by name, an eighth': { q: 'worker' },
  'search by name, none': { q: 'no key has this name' },
  'search by preview': { q: 'sk_live_2' },
  'unused for 30 days': { unusedDays: '30' },
};

/** One workspace with very many keys in one file: lists, searches, start, backup, restore, memory and size. */
export async function measureLargeWorkspace({ keys }: Sizes): Promise<Figure[]> {
  const dataDir = await filledDataDir(keys);
  const title = abbreviateCount(keys);
  const figures = await served(dataDir, title);
  figures.push(...(await copied(dataDir, title)));
  figures.push({
    name: `size of the database, ${title} keys`,
    values: [databaseBytes(dataDir) / 1e6],
    unit: 'MB',
    how: 'Four fifths of the keys have been used, which adds one row of usage per key.',
  });
  return figures;
}

/** Keeps the directory for the next run; `npm run bench -- --clean` removes it. */
async function filledDataDir(count: number): Promise<string> {
  const kept = join(tmpdir(), `soku-bench-workspace-${count}`);
  if (existsSync(kept)) return kept;
  const fresh = mkdtempSync(join(tmpdir(), 'soku-bench-new-'));
  const server = await startServer({ dataDir: fresh, database: 'sqlite' });
  const person = await server.signIn();
  const { id } = workspaceSchema.parse((await person.call('GET', '/v1/workspace')).body);
  await insertKeys(server, id, count);
  await server.stop();
  renameSync(fresh, kept);
  return kept;
}

async function served(dataDir: string, title: string): Promise<Figure[]> {
  await using soku = await startSoku(dataDir);
  const { pid } = soku.server;
  const figures: Figure[] = [
    {
      name: `start, ${title} keys`,
      values: [preciseCpuTimeMs(pid)],
      unit: 'ms of CPU time',
      how: 'CPU time of the server until it has responded to its first request.',
    },
    memoryOf(pid, `memory after the start, ${title} keys`),
  ];
  const person = await soku.server.signIn();
  const measure = async (name: string, path: string) => {
    const cpu: number[] = [];
    const first = await cpuMsDuring(pid, () => timeRequest(person, path));
    for (let i = 0; i < requests; i++) cpu.push(await cpuMsDuring(pid, () => timeRequest(person, path)));
    figures.push({
      name: `list ${name}, ${title} keys`,
      values: cpu,
      unit: 'ms of CPU time',
      how: `CPU time of the server for one page of a workspace with ${title} keys. The first request took ${first.toFixed(0)} ms.`,
    });
  };
  for (const [name, query] of Object.entries(lists))
    await measure(name, `/v1/api-keys?${new URLSearchParams(query)}`);
  await measure(`page ${furthest}`, await pathOfPage(person, furthest));
  figures.push(memoryOf(pid, `memory after these lists, ${title} keys`));
  return figures;
}

function memoryOf(pid: number, name: string): Figure {
  return { name, values: [residentBytes(pid) / 1e6], unit: 'MB', how: 'Resident memory of the server.' };
}

async function pathOfPage(person: Person, page: number): Promise<string> {
  let path = '/v1/api-keys?limit=100';
  for (let read = 1; read < page; read++) {
    const { nextCursor } = keyListSchema.parse((await person.call('GET', path)).body);
    if (nextCursor === null) break;
    path = `/v1/api-keys?limit=100&cursor=${nextCursor}`;
  }
  return path;
}

/** The commands of an operator, as processes of their own. */
async function copied(dataDir: string, title: string): Promise<Figure[]> {
  const to = mkdtempSync(join(tmpdir(), 'soku-bench-new-'));
  try {
    const file = join(to, 'backup.db');
    const backup = await timeCommand(['backup', file], dataDir);
    const restore = await timeCommand(['restore', file], join(to, 'restored'));
    const about = {
      unit: 'ms of CPU time',
      how: 'CPU time of the operator command, which verifies the file.',
    };
    return [
      { name: `backup, ${title} keys`, values: [backup], ...about },
      { name: `restore, ${title} keys`, values: [restore], ...about },
      {
        name: `size of the backup, ${title} keys`,
        values: [statSync(file).size / 1e6],
        unit: 'MB',
        how: 'The file that the command writes.',
      },
    ];
  } finally {
    rmSync(to, { recursive: true });
  }
}

async function timeCommand(args: string[], dataDir: string): Promise<number> {
  const before = childrenCpuTimeMs();
  const { code, output } = await runOperator(args, { dataDir });
  if (code !== 0) throw new Error(`${args[0]} ended with ${code}: ${output}`);
  return childrenCpuTimeMs() - before;
}
