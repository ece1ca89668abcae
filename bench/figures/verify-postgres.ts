import {
  compareUnderLoad,
  defaultConnections,
  kiloRequestsPerCpuSecond,
  kiloRequestsPerSecond,
} from '../compare-under-load.ts';
import { abbreviateCount, type Figure, ratiosInPercent, type Sizes } from '../figure.ts';
import { keyAt, keyFiles } from '../keys.ts';
import { allCores, cores, pinToCores, requireCores, requireProgram } from '../machine.ts';
import { type MeasuredProgram, startSoku } from '../measured-programs.ts';
import { startNodes } from '../nodes.ts';
import { seededDataDir } from '../seeded.ts';
import { fillPostgres } from '../seeded-postgres.ts';
import { verifyEach } from '../verify-each.ts';
import { sendLoad } from '../wrk.ts';

/** Verification by a node on PostgreSQL compared with a server with a file, and by two nodes together. */
export async function measureVerifyPostgres(sizes: Sizes): Promise<Figure[]> {
  requireCores();
  requireProgram('wrk');
  const count = sizes.keysInUseOfTables;
  await using started = await startNodes(2);
  await fillPostgres(started.url, count);
  started.pinDatabase(cores.load);
  const [node, other] = started.nodes;
  if (node === undefined || other === undefined) throw new Error('the nodes did not start');
  for (const pid of node.pids) pinToCores(pid, cores.measured);
  await using soku = await startSoku(await seededDataDir(count));
  using files = keyFiles();
  const inUse = Array.from({ length: count }, (_, i) => keyAt(i));
  const keys = files.write(inUse);
  for (const { url } of [node, other, soku]) await verifyEach(url, inUse.values());
  const [onPostgres, onSqlite] = await compareUnderLoad([node, soku], { keys }, sizes);
  const [one, two] = await totals([node, other], keys, sizes);
  const how = `${abbreviateCount(count)} keys, all of them cached, ${defaultConnections} wrk connections. Another node is registered.`;
  return [
    {
      name: 'cached verifications per CPU second on PostgreSQL',
      values: ratiosInPercent(kiloRequestsPerCpuSecond(onPostgres), kiloRequestsPerCpuSecond(onSqlite)),
      unit: '% of the same on SQLite',
      goal: { atLeast: 95 },
      how: `${how} The CPU time of the node, without that of PostgreSQL.`,
      sides: [
        { name: 'PostgreSQL', values: kiloRequestsPerCpuSecond(onPostgres), unit: 'k/CPU s' },
        { name: 'SQLite', values: kiloRequestsPerCpuSecond(onSqlite), unit: 'k/CPU s' },
      ],
    },
    {
      name: 'cached verification on PostgreSQL',
      values: ratiosInPercent(kiloRequestsPerSecond(onPostgres), kiloRequestsPerSecond(onSqlite)),
      unit: '% of the same on SQLite',
      how: `${how} PostgreSQL and the load generator share a core, so the load is smaller while PostgreSQL writes usage.`,
      sides: [
        { name: 'PostgreSQL', values: kiloRequestsPerSecond(onPostgres), unit: 'k/s' },
        { name: 'SQLite', values: kiloRequestsPerSecond(onSqlite), unit: 'k/s' },
      ],
    },
    {
      name: 'verification by two nodes on two cores',
      values: ratiosInPercent(two, one),
      unit: '% of one node on the same two cores',
      how: 'No process is bound to a core: two nodes with 32 connections each, compared with one node with 64. wrk and PostgreSQL use the same two cores, so this shows that a second node costs little, not how throughput scales.',
      sides: [
        { name: 'two nodes together', values: two, unit: 'k/s' },
        { name: 'one node', values: one, unit: 'k/s' },
      ],
    },
  ];
}

/** @returns the rates of one node and of both together, per round */
async function totals(nodes: readonly [MeasuredProgram, MeasuredProgram], keys: string, sizes: Sizes) {
  for (const { pids } of nodes) for (const pid of pids) pinToCores(pid, allCores);
  const load = async (some: readonly MeasuredProgram[], round: number) => {
    const connections = defaultConnections / some.length;
    const each = some.map(async ({ url }) => {
      const own = { url: `${url}/v1/verify`, keys, connections, core: allCores };
      await sendLoad(own, sizes.warmUp, 2 * round);
      return sendLoad(own, sizes.counted, 2 * round + 1);
    });
    return kiloRequestsPerSecond(await Promise.all(each)).reduce((sum, rate) => sum + rate, 0);
  };
  const [one, two]: [number[], number[]] = [[], []];
  for (let round = 0; round < sizes.rounds; round++) {
    one.push(await load(nodes.slice(0, 1), round));
    two.push(await load(nodes, round));
  }
  return [one, two] as const;
}
