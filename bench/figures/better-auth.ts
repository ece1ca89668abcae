import { abbreviateCount, type Figure, type Sizes } from '../figure.ts';
import { requireCores } from '../machine.ts';
import { runProgramsAlternately } from '../programs.ts';
import { seededDataDir } from '../seeded.ts';

/** The verifier without HTTP, compared with the API key plugin of the auth library that the dashboard uses. */
export async function compareWithBetterAuth(sizes: Sizes): Promise<Figure[]> {
  requireCores();
  const { keysInUse, counted } = sizes;
  const [ours = [], theirs = []] = await runProgramsAlternately(sizes.rounds, [
    ['in-process.ts', ['verifier', await seededDataDir(keysInUse), keysInUse, keysInUse, counted]],
    ['better-auth.ts', [keysInUse, counted]],
  ]);
  return [
    {
      name: "verifications per second compared with better-auth's API keys",
      values: ours.map((value, round) => value / (theirs[round] ?? Number.NaN)),
      unit: 'times as many',
      goal: { atLeast: 50 },
      how: `${abbreviateCount(keysInUse)} random keys, in process. @better-auth/api-key with its limit on, on node:sqlite with the same settings (WAL, synchronous FULL); each verification reads and writes the database. Each run is a new process.`,
      sides: [
        { name: 'Soku', values: ours, unit: 'k/s' },
        { name: '@better-auth/api-key', values: theirs, unit: 'k/s' },
      ],
    },
  ];
}
