import { compareUnderLoad, defaultConnections, kiloRequestsPerCpuSecond } from '../compare-under-load.ts';
import { abbreviateCount, type Figure, ratiosInPercent, type Sizes } from '../figure.ts';
import { keyAt, keyFiles, spreadEvenly } from '../keys.ts';
import { requireCores, requireProgram } from '../machine.ts';
import { startSoku } from '../measured-programs.ts';
import { runProgramsAlternately } from '../programs.ts';
import { restrictedDataDir, seededDataDir } from '../seeded.ts';
import { verifyEach } from '../verify-each.ts';

/** What scopes and allowed addresses cost: keys that have them, compared with keys without restrictions. */
export async function measureRestrictions(sizes: Sizes): Promise<Figure[]> {
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
  const inUse = spreadEvenly(keysInUse, keysInUse).map(keyAt);
  await using restricted = await startSoku(await restrictedDataDir(keysInUse));
  await using plain = await startSoku(await seededDataDir(keysInUse));
  const targets = [
    { ...restricted, path: '/v1/verify?scope=files:read' },
    { ...plain, path: '/v1/verify' },
  ].map((target) => ({ ...target, warm: () => verifyEach(target.url, inUse.values()) }));
  const results = await compareUnderLoad(targets, { keys: files.write(inUse) }, { ...sizes, rounds: pairs });
  return results.map(kiloRequestsPerCpuSecond);
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
    values: ratiosInPercent(restricted, plain),
    unit: '% of that without restrictions',
    sides: [
      { name: 'with scopes and allowed addresses', values: restricted, unit: 'k/CPU s' },
      { name: 'without restrictions', values: plain, unit: 'k/CPU s' },
    ],
  };
}
