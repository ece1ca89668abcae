import { startBareServer, startSoku } from '../contestants.ts';
import { askForEach } from '../each-key.ts';
import { type Figure, inWords, percent, type Sizes } from '../figure.ts';
import { keyAt, keyFiles, spread } from '../keys.ts';
import { needCores, program } from '../machine.ts';
import { race, rates, usualConnections } from '../race.ts';
import { seeded } from '../seeded.ts';
import type { Answered } from '../wrk.ts';

/** Verification over HTTP, in both its forms, against the least that Node's HTTP server can do. */
export async function verifyHttp(sizes: Sizes): Promise<Figure[]> {
  needCores();
  program('wrk');
  using files = keyFiles();
  const inUse = spread(sizes.keysInUse, sizes.keys).map(keyAt);
  const keys = files.write(inUse);
  await using soku = await startSoku(await seeded(sizes.keys));
  await using bare = await startBareServer();
  await using tuned = await startBareServer(true);
  const warmed = { ...soku, warm: () => askForEach(soku.url, inUse.values()) };
  const owner = await soku.server.signIn();
  const { apiKey } = await owner.makeKey({ name: 'Bench', scopes: ['keys:verify'] });

  const [byGet, bareByGet, tunedByGet] = await race([warmed, bare, tuned], { keys }, sizes);
  const asking = files.write([apiKey]);
  const [byPost, bareByPost] = await race([warmed, bare], { keys, asking }, sizes);
  const [batches = [], calls = []] = await race(
    [{ ...warmed, batched: true }, warmed],
    { keys, asking },
    sizes,
  );
  const keysOf = (counts: Answered[], each: number) => rates(counts).map((rate) => rate * each);
  const how = `${inWords(sizes.keysInUse)} of ${inWords(sizes.keys)} keys at random, all of them in memory; limits, usage and metrics on. ${usualConnections} connections of wrk. The yardstick answers 200 and two bytes to the same requests.`;
  return [
    {
      ...compare(rates(byGet), rates(bareByGet)),
      name: 'GET /v1/verify over HTTP',
      goal: { atLeast: 90 },
      how,
    },
    {
      ...compare(rates(byGet), rates(tunedByGet), 'tuned node:http'),
      name: 'GET /v1/verify against a tuned yardstick',
      how: `The same turns. This yardstick has optimizeEmptyRequests on, as Soku has, which no program has that does not set it.`,
    },
    {
      ...compare(rates(byPost), rates(bareByPost)),
      name: 'POST /v1/verify over HTTP',
      goal: { atLeast: 45 },
      how: `${how} The asking key is verified, too.`,
    },
    {
      name: 'Keys verified by POST /v1/verify with 100 keys, against one',
      values: keysOf(batches, 100).map((rate, i) => rate / (calls[i]?.rate ?? Number.NaN)),
      unit: 'times',
      goal: { atLeast: 20 },
      sides: [
        { name: 'a batch of 100', values: keysOf(batches, 100), unit: 'k/s' },
        { name: 'one key a call', values: keysOf(calls, 1), unit: 'k/s' },
      ],
      how: `The keys and the server of the figures above. The server has a core of its own, which is busy all the time, so keys a second are keys a CPU second.`,
    },
  ];
}

function compare(
  ours: number[],
  yardstick: number[],
  name = 'bare node:http',
): Pick<Figure, 'values' | 'unit' | 'sides'> {
  return {
    values: percent(ours, yardstick),
    unit: `% of ${name}`,
    sides: [
      { name: 'Soku', values: ours, unit: 'k/s' },
      { name, values: yardstick, unit: 'k/s' },
    ],
  };
}
