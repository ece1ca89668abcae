/**
 * Measures each request for usage in a workspace whose keys were used as long as usage is kept, on both databases, and
 * stores the result in bench/usage.json. Prevents pages that become slow with the age of a workspace.
 */
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { workspaceSchema } from '@soku/contract/workspaces';
import pg from 'pg';
import type { Person } from '../test/support/person.ts';
import { startServer } from '../test/support/server.ts';
import { abbreviateCount, median } from './figure.ts';
import { machine } from './machine.ts';
import { cpuTimeWithChildrenMs } from './process-usage.ts';
import { timeRequest } from './request-time.ts';
import { insertUsage } from './usage-data.ts';
import { type UsageRun, usageGoalMs, writeUsageRun } from './usage-results.ts';

const help = `npm run bench:usage -- [sqlite] [postgres]

Prints the median and the maximum time of each request, in ms, as a client on the same machine sees it, and the median
of the CPU time of the server and of PostgreSQL. With 10,000 keys, stores them in bench/usage.json; then run: npm run docs

  --keys N     number of keys in the workspace (default: 10000)
  --days N     days of usage; can be repeated (default: 90 and 400)
  --rounds N   requests of each kind (default: 15)
  --help       show this text
`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    keys: { type: 'string', default: '10000' },
    days: { type: 'string', multiple: true, default: ['90', '400'] },
    rounds: { type: 'string', default: '15' },
    help: { type: 'boolean' },
  },
});

/** Only runs with so many keys are stored. */
const storedKeys = 10_000;

const zone = 'timeZone=Europe/Berlin';

/** By the name in the output. */
const requests: Record<string, (id: string) => string> = {
  'key, 24 hours': (id) => `/v1/api-keys/${id}/usage?hours=24`,
  'key, 30 days by the hour': (id) => `/v1/api-keys/${id}/usage?hours=720`,
  'key history, 24 hours': (id) => `/v1/api-keys/${id}/usage/history?hours=24`,
  'key history, 7 days': (id) => `/v1/api-keys/${id}/usage/history?hours=168`,
  'key history, 30 days': (id) => `/v1/api-keys/${id}/usage/history?days=30&${zone}`,
  'key history, 90 days': (id) => `/v1/api-keys/${id}/usage/history?days=90&${zone}`,
  'key history, all': (id) => `/v1/api-keys/${id}/usage/history?days=all&${zone}`,
  'key history, 90 days by the hour': (id) => `/v1/api-keys/${id}/usage/history?days=90&by=hour`,
  'key CSV, 90 days by the hour': (id) => `/v1/api-keys/${id}/usage.csv?days=90&by=hour`,
  'workspace, today and yesterday': () => '/v1/usage',
  'workspace history, 24 hours': () => '/v1/usage/history?hours=24',
  'workspace history, 7 days': () => `/v1/usage/history?hours=168`,
  'workspace history, 30 days': () => `/v1/usage/history?days=30&${zone}`,
  'workspace history, 90 days': () => `/v1/usage/history?days=90&${zone}`,
  'workspace history, all': () => `/v1/usage/history?days=all&${zone}`,
  'workspace CSV, 90 days by the hour': () => '/v1/usage.csv?days=90&by=hour',
};

if (options.help) console.log(help);
else {
  for (const kind of positionals.length === 0 ? ['sqlite', 'postgres'] : positionals) {
    if (kind !== 'sqlite' && kind !== 'postgres') throw new Error(`unknown database: ${kind}`);
    for (const days of options.days) await run(kind, { keys: Number(options.keys), days: Number(days) });
  }
  // Also ends PostgreSQL.
  process.exit();
}

async function run(kind: 'sqlite' | 'postgres', size: { keys: number; days: number }): Promise<void> {
  const server = await startServer({
    database: kind,
    env: { SOKU_USAGE_RETENTION_DAYS: String(size.days) },
  });
  try {
    const person = await server.signIn();
    const workspace = workspaceSchema.parse((await person.call('GET', '/v1/workspace')).body);
    const { DATABASE_URL: url } = server.env;
    const begun = performance.now();
    const id = await insertUsage(url === undefined ? server : { url }, workspace.id, size);
    const seconds = Math.round((performance.now() - begun) / 1000);
    console.log(
      `\n${kind}, ${abbreviateCount(size.keys)} keys, ${size.days} days of usage (inserted in ${seconds} s), ${options.rounds} requests each\n`,
    );
    const pids = [server.pid, ...(url === undefined ? [] : [await postgresPid(url)])];
    const load = Math.round(loadavg()[0] ?? 0);
    const measured: UsageRun['requests'] = [];
    for (const [name, path] of Object.entries(requests)) {
      const request = { name, ...(await measure(person, path(id), pids)) };
      measured.push(request);
      const mark = request.worst > usageGoalMs ? '  slow' : '';
      const times = [request.median, request.worst, request.cpu].map((ms) => ms.toFixed(1).padStart(9));
      console.log(`${name.padEnd(36)}${times.join('')}${mark}`);
    }
    const date = new Date().toISOString().slice(0, 10);
    const run = { database: kind, ...size, rounds: Number(options.rounds), date, machine, load };
    if (size.keys === storedKeys) writeUsageRun({ ...run, requests: measured });
  } finally {
    await server.stop();
  }
}

async function measure(person: Person, path: string, pids: readonly number[]) {
  const [times, cpu]: [number[], number[]] = [[], []];
  // The first request compiles code and fills caches of the database.
  await timeRequest(person, path);
  for (let round = 0; round < Number(options.rounds); round++) {
    const before = cpuTimeOf(pids);
    times.push(await timeRequest(person, path));
    cpu.push(cpuTimeOf(pids) - before);
  }
  const rounded = (ms: number) => Number(ms.toFixed(1));
  return { median: rounded(median(times)), worst: rounded(Math.max(...times)), cpu: rounded(median(cpu)) };
}

function cpuTimeOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuTimeWithChildrenMs(pid), 0);
}

/** The parent of each process of a connection. */
async function postgresPid(url: string): Promise<number> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const status = readFileSync(`/proc/${rows[0]?.pid}/status`, 'utf8');
    return Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]);
  } finally {
    await client.end();
  }
}
