/**
 * Measures each request for usage in a workspace whose keys were used as long as usage is kept, on both databases.
 * Prevents pages that become slow with the age of a workspace.
 */
import { parseArgs } from 'node:util';
import { workspaceSchema } from '@soku/contract/workspaces';
import { startServer } from '../test/support/server.ts';
import { abbreviateCount, median } from './figure.ts';
import { timeRequest } from './request-time.ts';
import { insertUsage } from './usage-data.ts';

const help = `npm run bench:usage -- [sqlite] [postgres]

Prints the median and the maximum time of each request, in ms, as a client on the same machine sees it.

  --keys N     number of keys in the workspace (default: 10000)
  --days N     days of usage (default: 90)
  --rounds N   requests of each kind (default: 9)
  --help       show this text
`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    keys: { type: 'string', default: '10000' },
    days: { type: 'string', default: '90' },
    rounds: { type: 'string', default: '9' },
    help: { type: 'boolean' },
  },
});

/** ms. No request should take longer. */
const goal = 100;

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
    await run(kind, { keys: Number(options.keys), days: Number(options.days) });
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
    for (const [name, path] of Object.entries(requests)) {
      const times: number[] = [];
      for (let round = 0; round < Number(options.rounds); round++)
        times.push(await timeRequest(person, path(id)));
      const most = Math.max(...times);
      const mark = median(times) > goal ? '  slow' : '';
      console.log(
        `${name.padEnd(36)}${median(times).toFixed(1).padStart(9)}${most.toFixed(1).padStart(9)}${mark}`,
      );
    }
  } finally {
    await server.stop();
  }
}
