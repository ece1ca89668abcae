import { type Figure, inWords, percent, type Sizes } from '../figure.ts';
import { needCores } from '../machine.ts';
import { numbersInTurns } from '../programs.ts';
import { seeded } from '../seeded.ts';

/** The verifier without HTTP, compared with the two steps that every verification of hashed keys needs. */
export async function verifyInProcess(sizes: Sizes): Promise<Figure[]> {
  needCores();
  const { keysInUse, counted } = sizes;
  const data = [await seeded(keysInUse), keysInUse, keysInUse, counted];
  const [ours = [], map = []] = await numbersInTurns(sizes.rounds, [
    ['in-process.ts', ['verifier', ...data]],
    ['in-process.ts', ['map', ...data]],
  ]);
  return [
    {
      name: 'in-process verification',
      values: percent(ours, map),
      unit: '% of SHA-256 and a Map',
      goal: { atLeast: 60 },
      how: `${inWords(keysInUse)} random keys, all of them cached; checksum, limit, usage and its writing, and metrics on. The yardstick hashes the key and finds the hash in a Map. Each run is a new process.`,
      sides: [
        { name: 'Soku', values: ours, unit: 'k/s' },
        { name: 'SHA-256 and a Map', values: map, unit: 'k/s' },
      ],
    },
  ];
}
