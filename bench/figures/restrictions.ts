import { startSoku } from '../contestants.ts';
import { abbreviateCount, type Figure, percent, type Sizes } from '../figure.ts';
import { keyAt, keyFiles, spread } from '../keys.ts';
import { requireCores, requireProgram } from '../machine.ts';
import { runProgramsAlternately } from '../programs.ts';
import { defaultConnections, race, ratesOfCpu } from '../race.ts';
import { restrictedDataDir, seededDataDir } from '../seeded.ts';
import { verifyEach } from '../verify-each.ts';

/** What scopes and allowed addresses cost: keys that have them, compared with keys without restrictions. */
export async function restrictions(sizes: Sizes): Promise<Figure[]> {
  requireCores();
  requireProgram('wrk');
  const how = `${abbreviateCount(sizes.keysInUse)} random keys, all of them cached. Each key has two scopes and three allowed addresses or blocks; each verification requires one of these scopes and comes from one of these addresses. Compared by CPU time.`;
  return [
    {
      ...compare(await overHttp(sizes)),
      name: 'GET /v1/verify with scopes and allowed addresses',
      goal: { atLeast: 97 },
      how: `${how} ${defaultConnections} wrk connections.`,
    },
    {
      ...compare(await inProcess(sizes)),
      name: 'in-process verification with scopes and allowed addresses',
      how: `${how} Each run is a new process.`,
    },
  ];
}

async function overHttp(sizes: Sizes): Promise<number[][]> {
  const { keysInUse, pairs } = sizes;
  using files = keyFiles();
  const inUse = spread(keysInUse, keysInUse).map(keyAt);
  await using restricted = await startSoku(await restrictedDataDir(keysInUse));
  await using plain = await startSoku(await seededDataDir(keysInUse));
  const racers = [
    { ...restricted, path: '/v1/verify?scope=files:read' },
    { ...plain, path: '/v1/verify' },
  ].map((racer) => ({ ...racer, warm: () => verifyEach(racer.url, inUse.values()) }));
  const results = await race(racers, { keys: files.write(inUse) }, { ...sizes, rounds: pairs });
  return results.map(ratesOfCpu);
}

async function inProcess({ keysInUse, counted, pairs }: Sizes): Promise<number[][]> {
  const run = [keysInUse, keysInUse, counted, 'cpu'];
  return runProgramsAlternately(pairs, [
    ['in-process.ts', ['restricted', await restrictedDataDir(keysInUse), ...run]],
    ['in-process.ts', ['verifier', await seededDataDir(keysInUse), ...run]],
  ]);
}

/** @param rates in thousands per CPU second */
function compare([restricted = [], plain = []]: number[][]): Pick<Figure, 'values' | 'unit' | 'sides'> {
  return {
    values: percent(restricted, plain),
    unit: '% of that without restrictions',
    sides: [
      { name: 'with scopes and allowed addresses', values: restricted, unit: 'k/CPU s' },
      { name: 'without restrictions', values: plain, unit: 'k/CPU s' },
    ],
  };
}
