import { compareUnderLoad, defaultConnections, kiloRequestsPerSecond } from '../compare-under-load.ts';
import { abbreviateCount, type Figure, ratiosInPercent, type Sizes } from '../figure.ts';
import { keyAt, keyFiles, spreadEvenly } from '../keys.ts';
import { requireCores, requireProgram } from '../machine.ts';
import { startBareServer, startSoku } from '../measured-programs.ts';
import { seededDataDir } from '../seeded.ts';
import { verifyEach } from '../verify-each.ts';
import type { LoadResult } from '../wrk.ts';

/** Verification over HTTP, in both forms, compared with a minimal Node HTTP server. */
export async function measureVerifyHttp(sizes: Sizes): Promise<Figure[]> {
  requireCores();
  requireProgram('wrk');
  using files = keyFiles();
  const inUse = spreadEvenly(sizes.keysInUse, sizes.keys).map(keyAt);
  const keys = files.write(inUse);
  await using soku = await startSoku(await seededDataDir(sizes.keys));
  await using bare = await startBareServer();
  await using tuned = await startBareServer(true);
  const warmed = { ...soku, warm: () => verifyEach(soku.url, inUse.values()) };
  const owner = await soku.server.signIn();
  const { apiKey } = await owner.createKey({ name: 'Bench', scopes: ['keys:verify'] });

  const sustained = { ...warmed, sustained: true };
  const [byGet, bareByGet, tunedByGet] = await compareUnderLoad([sustained, bare, tuned], { keys }, sizes);
  const asking = files.write([apiKey]);
  const [byPost, bareByPost] = await compareUnderLoad(
    [sustained, bare],
    { keys, callerKeyFile: asking },
    sizes,
  );
  const [batches = [], calls = []] = await compareUnderLoad(
    [{ ...warmed, batched: true }, warmed],
    { keys, callerKeyFile: asking },
    sizes,
  );
  const keysOf = (counts: LoadResult[], each: number) =>
    kiloRequestsPerSecond(counts).map((rate) => rate * each);
  const how = `${abbreviateCount(sizes.keysInUse)} of ${abbreviateCount(sizes.keys)} random keys, all of them cached; limits, usage and metrics on. ${defaultConnections} wrk connections. Counted for ${sizes.sustained} s after a warm-up of the same length, including the writes of usage in that time. The yardstick returns 200 and two bytes for the same requests.`;
  return [
    {
      ...compare(kiloRequestsPerSecond(byGet), kiloRequestsPerSecond(bareByGet)),
      name: 'GET /v1/verify over HTTP',
      goal: { atLeast: 90 },
      how,
    },
    {
      ...compare(kiloRequestsPerSecond(byGet), kiloRequestsPerSecond(tunedByGet), 'tuned node:http'),
      name: 'GET /v1/verify compared with a tuned yardstick',
      how: `Measured in the same rounds. Like Soku, this yardstick sets optimizeEmptyRequests, which is off by default.`,
    },
    {
      ...compare(kiloRequestsPerSecond(byPost), kiloRequestsPerSecond(bareByPost)),
      name: 'POST /v1/verify over HTTP',
      goal: { atLeast: 45 },
      how: `${how} The key of the caller is verified as well.`,
    },
    {
      name: 'keys verified by POST /v1/verify, 100 per call compared with one',
      values: keysOf(batches, 100).map((rate, i) => rate / (calls[i]?.rate ?? Number.NaN)),
      unit: 'times',
      goal: { atLeast: 20 },
      sides: [
        { name: 'a batch of 100', values: keysOf(batches, 100), unit: 'k/s' },
        { name: 'one key per call', values: keysOf(calls, 1), unit: 'k/s' },
      ],
      how: `With the keys and the server of the figures above. The server's core is always busy, so keys per second are keys per CPU second.`,
    },
  ];
}

function compare(
  ours: number[],
  yardstick: number[],
  name = 'bare node:http',
): Pick<Figure, 'values' | 'unit' | 'sides'> {
  return {
    values: ratiosInPercent(ours, yardstick),
    unit: `% of ${name}`,
    sides: [
      { name: 'Soku', values: ours, unit: 'k/s' },
      { name, values: yardstick, unit: 'k/s' },
    ],
  };
}
