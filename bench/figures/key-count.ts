import { compareUnderLoad, defaultConnections, kiloRequestsPerSecond } from '../compare-under-load.ts';
import { abbreviateCount, type Figure, ratiosInPercent, type Side, type Sizes } from '../figure.ts';
import { keyAt, keyFiles, spreadEvenly } from '../keys.ts';
import { requireCores, requireProgram } from '../machine.ts';
import { type MeasuredProgram, startSoku } from '../measured-programs.ts';
import { runProgramsAlternately } from '../programs.ts';
import { databaseBytes, seededDataDir } from '../seeded.ts';
import { verifyEach } from '../verify-each.ts';

/** The cost of a verification with few, many and very many keys: from the cache, and from the database. */
export async function measureKeyCount(sizes: Sizes): Promise<Figure[]> {
  requireCores();
  requireProgram('wrk');
  const tables: Table[] = [];
  for (const count of sizes.tables) tables.push({ count, dataDir: await seededDataDir(count) });
  const largest = tables.map(({ dataDir }) => databaseBytes(dataDir)).at(-1) ?? 0;
  const about = `The size of the largest database is ${(largest / 1e9).toFixed(1)} GB.`;
  return [
    compare('cache hit over HTTP', await hits(tables, sizes), {
      how: `The same number of keys is in use in each table: ${abbreviateCount(sizes.keysInUseOfTables)} at random, all of them cached. ${defaultConnections} wrk connections.`,
      goal: { atLeast: 95 },
    }),
    compare('cache miss over HTTP', await missesOverHttp(tables, sizes), {
      how: `A cache for one key (SOKU_CACHE_KEYS=1) and random keys of the whole table, so nearly every verification reads the database. ${about}`,
    }),
    compare('in-process cache miss', await missesInProcess(tables, sizes), {
      how: 'As the figure above, but in process, without HTTP. Each run is a new process.',
    }),
  ];
}

interface Table {
  count: number;
  dataDir: string;
}

async function hits(tables: readonly Table[], sizes: Sizes): Promise<Side[]> {
  const { keysInUseOfTables } = sizes;
  // The keys of the smallest table are in all tables.
  const inUse = spreadEvenly(keysInUseOfTables, Math.min(...sizes.tables)).map(keyAt);
  await using servers = new AsyncDisposableStack();
  const programs: MeasuredProgram[] = [];
  for (const { dataDir } of tables) programs.push(servers.use(await startSoku(dataDir)));
  for (const { url } of programs) await verifyEach(url, inUse.values());
  using files = keyFiles();
  return sidesOf(
    tables,
    (await compareUnderLoad(programs, { keys: files.write(inUse) }, sizes)).map(kiloRequestsPerSecond),
  );
}

async function missesOverHttp(tables: readonly Table[], sizes: Sizes): Promise<Side[]> {
  await using servers = new AsyncDisposableStack();
  using files = keyFiles();
  const targets: (MeasuredProgram & { keys: string })[] = [];
  for (const { count, dataDir } of tables) {
    const keys = files.write(spreadEvenly(sizes.keysInUse, count).map(keyAt));
    targets.push({ ...servers.use(await startSoku(dataDir, { SOKU_CACHE_KEYS: '1' })), keys });
  }
  return sidesOf(tables, (await compareUnderLoad(targets, {}, sizes)).map(kiloRequestsPerSecond));
}

async function missesInProcess(tables: readonly Table[], sizes: Sizes): Promise<Side[]> {
  const { keysInUse, counted, rounds } = sizes;
  const programs = tables.map(({ count, dataDir }): [string, (string | number)[]] => [
    'in-process.ts',
    ['misses', dataDir, count, Math.min(keysInUse, count), counted],
  ]);
  return sidesOf(tables, await runProgramsAlternately(rounds, programs));
}

function sidesOf(tables: readonly Table[], rates: readonly number[][]): Side[] {
  return tables.map(({ count }, i) => ({
    name: `${abbreviateCount(count)} keys`,
    values: rates[i] ?? [],
    unit: 'k/s',
  }));
}

/** The largest table compared with the smallest. */
function compare(name: string, sides: readonly Side[], about: Pick<Figure, 'how' | 'goal'>): Figure {
  const [yardstick, largest] = [sides.at(0), sides.at(-1)];
  return {
    name: `${name}, ${largest?.name}`,
    values: ratiosInPercent(largest?.values ?? [], yardstick?.values ?? []),
    unit: `% of ${yardstick?.name}`,
    ...about,
    sides: sides.toReversed(),
  };
}
