import { startBareServer, startSoku } from '../contestants.ts';
import { askForEach } from '../each-key.ts';
import { type Figure, inWords, percent, type Sizes } from '../figure.ts';
import { keyAt, keyFiles, spread } from '../keys.ts';
import { needCores, program } from '../machine.ts';
import { race, rates, usualConnections } from '../race.ts';
import { seeded } from '../seeded.ts';

/** Verification over HTTP, in both its forms, against the least that Node's HTTP server can do. */
export async function verifyHttp(sizes: Sizes): Promise<Figure[]> {
  needCores();
  program('wrk');
  using files = keyFiles();
  const inUse = spread(sizes.keysInUse, sizes.keys).map(keyAt);
  const keys = files.write(inUse);
  await using soku = await startSoku(await seeded(sizes.keys));
  await using bare = await startBareServer();
  await askForEach(soku.url, inUse.values());
  const owner = await soku.server.signIn();
  const { apiKey } = await owner.makeKey({ name: 'Bench', scopes: ['keys:verify'] });

  const [byGet, bareByGet] = await race([soku, bare], { keys }, sizes);
  const [byPost, bareByPost] = await race([soku, bare], { keys, asking: files.write([apiKey]) }, sizes);
  const how = `${inWords(sizes.keysInUse)} of ${inWords(sizes.keys)} keys at random, all of them in memory; limits, usage and metrics on. ${usualConnections} connections of wrk. The yardstick answers 200 and two bytes to the same requests.`;
  return [
    {
      ...compare(rates(byGet), rates(bareByGet)),
      name: 'GET /v1/verify over HTTP',
      goal: { atLeast: 90 },
      how,
    },
    {
      ...compare(rates(byPost), rates(bareByPost)),
      name: 'POST /v1/verify over HTTP',
      how: `${how} The asking key is verified, too.`,
    },
  ];
}

function compare(ours: number[], bare: number[]): Pick<Figure, 'values' | 'unit' | 'sides'> {
  return {
    values: percent(ours, bare),
    unit: '% of bare node:http',
    sides: [
      { name: 'Soku', values: ours, unit: 'k/s' },
      { name: 'bare node:http', values: bare, unit: 'k/s' },
    ],
  };
}
