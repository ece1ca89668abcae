import { abbreviateCount, type Figure, ratiosInPercent, type Sizes } from '../figure.ts';
import { requireCores } from '../machine.ts';
import { runProgramsAlternately } from '../programs.ts';
import { seededDataDir } from '../seeded.ts';

/** The verifier without HTTP, compared with the two steps that every verification of hashed keys needs. */
export async function measureVerifyInProcess(sizes: Sizes): Promise<Figure[]> {
  requireCores();
  const { keysInUse, counted } = sizes;
  const data = [await seededDataDir(keysInUse), keysInUse, keysInUse, counted];
  const [ours = [], map = []] = await runProgramsAlternately(sizes.rounds, [
    ['in-process.ts', ['verifier', ...data]],
    ['in-process.ts', ['map', ...data]],
  ]);
  return [
    {
      name: 'in-process verification',
      values: ratiosInPercent(ours, map),
      unit: '% of SHA-256 and a Map',
      goal: { atLeast: 80 },
      how: `${abbreviateCount(keysInUse)} random keys, all of them cached; checksum, limit, usage with its writes, and metrics on. The yardstick hashes the key and looks up the hash in a Map. Each run is a new process.`,
      sides: [
        { name: 'Soku', values: ours, unit: 'k/s' },
        { name: 'SHA-256 and a Map', values: map, unit: 'k/s' },
      ],
    },
  ];
}
