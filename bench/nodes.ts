import { readFileSync } from 'node:fs';
import { startPostgres } from '../test/support/postgres.ts';
import { allCores, pinToCores } from './machine.ts';
import { type MeasuredProgram, startSoku } from './measured-programs.ts';

/** Servers that share a PostgreSQL with durable commits, as in production. */
export interface Nodes extends AsyncDisposable {
  nodes: (MeasuredProgram & { server: Awaited<ReturnType<typeof startSoku>>['server'] })[];
  /** Address of the database. */
  url: string;
  pinDatabase(core: number): void;
}

/** Starts PostgreSQL and nodes on it, without binding any process to a core. */
export async function startNodes(count: number): Promise<Nodes> {
  await using started = new AsyncDisposableStack();
  const postgres = await startPostgres({ durable: true, settings: { shared_buffers: '256MB' } });
  started.defer(() => postgres.stop());
  const url = postgres.url();
  const nodes: Nodes['nodes'] = [];
  for (let i = 0; i < count; i++) {
    const env = { DATABASE_URL: url, SOKU_SECRET: 'a secret that is only for the bench' };
    const node = started.use(await startSoku(undefined, env));
    for (const pid of node.pids) pinToCores(pid, allCores);
    nodes.push(node);
  }
  const all = started.move();
  return {
    nodes,
    url,
    pinDatabase: (core) => {
      for (const pid of processesOf(postgres.pid)) pinToCores(pid, core);
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** A process and its children. */
function processesOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return [
    pid,
    ...children
      .split(' ')
      .filter((text) => text !== '')
      .map(Number),
  ];
}
