import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { bearer, call, type Person } from '../../test/support/person.ts';
import { type Figure, median, p99, type Side, type Sizes } from '../figure.ts';
import { type Nodes, startNodes } from '../nodes.ts';

/** Lease and margin, in ms: how long a revoke waits for a node that is not yet known to be silent. */
const longestWait = 2200;

/** ms without requests before each revoke, so that earlier work has finished. */
const quiet = 20;

/** Single-row commits for the yardstick. */
const commits = 200;

/** The time until no node accepts a revoked key, with different numbers of nodes, and with a frozen one. */
export async function measureRevoke(sizes: Sizes): Promise<Figure[]> {
  const counts = [1, 3, 5];
  const sides: Side[] = [];
  let worst: number[] = [];
  let yardstick: Side | undefined;
  for (const count of counts) {
    await using nodes = await startNodes(count);
    const rounds = await timeRevokes(nodes, sizes);
    const name = `${count} ${count === 1 ? 'node' : 'nodes'}`;
    sides.push({ name: `${name}, median`, values: rounds.map(median), unit: 'ms' });
    sides.push({ name: `${name}, p99`, values: rounds.map(p99), unit: 'ms' });
    if (count === 3) worst = rounds.map(p99);
    yardstick ??= { name: 'one durable commit, median', values: [await timeCommits(nodes.url)], unit: 'ms' };
  }
  const how = `Every node has just accepted the key, so it is cached everywhere. The time is that of the whole HTTP call as the client sees it; ${sizes.revokes} revokes per round, one after the other, by a program with a key, at each node in turn, without other load. PostgreSQL waits for the disk (fsync). PostgreSQL, all nodes and the client share the machine.`;
  return [
    {
      name: 'revoke to rejected on every node, 3 nodes, p99',
      values: worst,
      unit: 'ms',
      goal: { below: 10 },
      how,
    },
    {
      name: 'revoke to rejected on every node',
      values: sides[2]?.values ?? [],
      unit: 'ms, 3 nodes, median',
      how,
      sides: yardstick === undefined ? sides : [...sides, yardstick],
    },
    ...(await withFrozenNode(sizes)),
  ];
}

/** A person who creates keys, and a key with which a program revokes them, as after a leak. */
interface Manager {
  person: Person;
  apiKey: string;
}

async function managerOf([first]: Nodes['nodes']): Promise<Manager> {
  if (first === undefined) throw new Error('no node was started');
  const person = await first.server.signIn();
  const { apiKey } = await person.createKey({ name: 'Manager', scopes: ['keys:write'] });
  return { person, apiKey };
}

/** @returns the ms of each revoke, per round */
async function timeRevokes({ nodes }: Nodes, { rounds, revokes }: Sizes): Promise<number[][]> {
  const manager = await managerOf(nodes);
  const times: number[][] = [];
  // The first round is a warm-up.
  for (let round = -1; round < rounds; round++) {
    const took: number[] = [];
    for (let i = 0; i < revokes; i++) took.push(await timeRevoke(nodes, manager, i));
    if (round >= 0) times.push(took);
  }
  return times;
}

async function timeRevoke(nodes: Nodes['nodes'], manager: Manager, turn: number): Promise<number> {
  const node = nodes[turn % nodes.length];
  if (node === undefined) throw new Error('no node was started');
  const { apiKey, key } = await manager.person.createKey({ name: 'Bench' });
  await expectAll(nodes, apiKey, 204);
  await wait(quiet);
  const began = performance.now();
  const url = `${node.url}/v1/api-keys/${key.id}/revoke`;
  const { status } = await call(url, { method: 'POST', headers: bearer(manager.apiKey) });
  const took = performance.now() - began;
  if (status !== 200) throw new Error(`a revoke returned ${status}`);
  await expectAll(nodes, apiKey, 401);
  return took;
}

async function expectAll(nodes: Nodes['nodes'], apiKey: string, status: number): Promise<void> {
  const responses = nodes.map(({ url }) => call(`${url}/v1/verify`, { headers: bearer(apiKey) }));
  for (const response of await Promise.all(responses)) {
    if (response.status !== status) throw new Error(`a key returned ${response.status}, not ${status}`);
  }
}

/** One of three nodes is frozen: the first revoke waits for its lease, the next ones know that it is silent. */
async function withFrozenNode({ rounds, revokes }: Sizes): Promise<Figure[]> {
  await using started = await startNodes(3);
  const [first, second, frozen] = started.nodes;
  if (first === undefined || second === undefined || frozen === undefined)
    throw new Error('the nodes did not start');
  const awake = [first, second];
  const manager = await managerOf(awake);
  const [once, later]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    process.kill(frozen.server.pid, 'SIGSTOP');
    once.push(await timeRevoke(awake, manager, 0));
    const took: number[] = [];
    for (let i = 0; i < Math.min(20, revokes); i++) took.push(await timeRevoke(awake, manager, i));
    later.push(median(took));
    process.kill(frozen.server.pid, 'SIGCONT');
    await isReady(frozen.url);
  }
  return [
    {
      name: 'first revoke after one of 3 nodes freezes',
      values: once,
      unit: 'ms',
      goal: { below: longestWait + 100 },
      how: `The node is stopped (SIGSTOP) just before the revoke, which therefore waits until the node's lease and a safety margin have expired (${longestWait} ms).`,
    },
    {
      name: 'later revokes with one of 3 nodes frozen',
      values: later,
      unit: 'ms, median',
      how: 'By then, the other nodes know that this node is silent, and do not wait for it.',
    },
  ];
}

/** Waits until the node has a row again, so that the next freeze is a new one. */
async function isReady(url: string): Promise<void> {
  while ((await call(`${url}/readyz`)).status !== 200) await wait(20);
  // A few heartbeats, so that the others have seen it.
  await wait(1000);
}

async function timeCommits(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('CREATE TABLE bench_commit (n int)');
    const took: number[] = [];
    for (let i = 0; i < commits; i++) {
      const began = performance.now();
      await client.query('INSERT INTO bench_commit VALUES ($1)', [i]);
      took.push(performance.now() - began);
    }
    return median(took);
  } finally {
    await client.end();
  }
}
