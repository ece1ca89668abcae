import { type Figure, inWords, type Sizes } from '../figure.ts';
import { needCores } from '../machine.ts';
import { numbersInTurns } from '../programs.ts';
import { seeded } from '../seeded.ts';

/** The verifier without HTTP, against the plugin for API keys of the auth library that signs our people in. */
export async function againstBetterAuth(sizes: Sizes): Promise<Figure[]> {
  needCores();
  const { keysInUse, counted } = sizes;
  const [ours = [], theirs = []] = await numbersInTurns(sizes.rounds, [
    ['in-process.ts', ['verifier', await seeded(keysInUse), keysInUse, keysInUse, counted]],
    ['better-auth.ts', [keysInUse, counted]],
  ]);
  return [
    {
      name: "against better-auth's API keys",
      values: ours.map((value, round) => value / (theirs[round] ?? Number.NaN)),
      unit: 'times as many',
      goal: { atLeast: 50 },
      how: `${inWords(keysInUse)} keys at random, in process. @better-auth/api-key with its limit on, over node:sqlite with our settings (WAL, synchronous FULL); it reads and writes the database in each verification. Each run is a fresh process.`,
      sides: [
        { name: 'Soku', values: ours, unit: 'k/s' },
        { name: '@better-auth/api-key', values: theirs, unit: 'k/s' },
      ],
    },
  ];
}
