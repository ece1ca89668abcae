import { setTimeout as pause } from 'node:timers/promises';
import { inTurns, startSoku } from '../contestants.ts';
import { askForEach } from '../each-key.ts';
import { type Figure, inWords, percent, type Sizes } from '../figure.ts';
import { keyAt, keyFiles, spread, unknownKeyAt } from '../keys.ts';
import { cores, needCores, program } from '../machine.ts';
import { numberFrom } from '../programs.ts';
import { usualConnections } from '../race.ts';
import { seeded } from '../seeded.ts';
import { send } from '../wrk.ts';

/** Unknown keys a second of the bounded flood: 300 000 a minute, where an address may send 60. */
const floodRate = 5000;

/** More than the server remembers of unknown keys, so that most of them read the database anew. */
const unknownKeys = 300_000;

/** s that a flood lasts longer than what is counted beside it: the programs take some to start. */
const spare = 8;

/** What keys of strangers cost the others: good traffic alone, beside a bounded flood, and beside an equal one. */
export async function flood(sizes: Sizes): Promise<Figure[]> {
  needCores();
  program('wrk');
  const inUse = spread(sizes.keysInUse, sizes.keys).map(keyAt);
  using files = keyFiles();
  const keys = files.write(inUse);
  const strangers = files.write(Array.from({ length: unknownKeys }, (_, i) => unknownKeyAt(i)));
  await using soku = await startSoku(await seeded(sizes.keys));
  await askForEach(soku.url, inUse.values());

  const url = `${soku.url}/v1/verify`;
  const lasts = sizes.warmUp + sizes.counted + spare;
  const connections = usualConnections;
  /** Each resolves when it has been sent, and fails when one of its keys is accepted. */
  const floods = {
    none: async () => undefined,
    bounded: (round: number) => {
      const first = unknownKeys + round * floodRate * lasts;
      return numberFrom('unknown-keys.ts', [url, floodRate, lasts, first], cores.load);
    },
    equal: (round: number) => send({ url, connections, keys: strangers, refused: true }, lasts, round),
  };
  const turns = [floods.none, floods.bounded, floods.equal].map((flood) => ({ ...soku, flood }));
  const [alone = [], bounded = [], equal = []] = await inTurns(turns, sizes.rounds, async (turn, round) => {
    const before = await counts(soku.url);
    let over = false;
    const flooding = turn.flood(round).finally(() => {
      over = true;
    });
    // It is awaited at the end; when it fails before, that is told there.
    flooding.catch(() => undefined);
    while (!over && (await counts(soku.url)).refused === before.refused) await pause(50);
    await send({ url, connections, keys }, sizes.warmUp, 2 * round);
    const { rate } = await send({ url, connections, keys }, sizes.counted, 2 * round + 1);
    if (over && turn.flood !== floods.none) throw new Error('the flood ended before the count did');
    await flooding;
    return { rate, evicted: (await counts(soku.url)).missed - before.missed };
  });

  const rates = (turn: readonly { rate: number }[]) => turn.map(({ rate }) => rate);
  const how = `${connections} connections of wrk with ${inWords(sizes.keysInUse)} good keys at random, alone and beside the flood. Loads share a core, and come from one address with the usual limit (60 a minute).`;
  const yardstick = { name: 'alone', values: rates(alone), unit: 'k/s' };
  return [
    {
      name: `good traffic beside ${inWords(floodRate)} unknown keys a second`,
      values: percent(rates(bounded), rates(alone)),
      unit: '% of its rate alone',
      goal: { atLeast: 70 },
      how: `${how} Every unknown key is another one with a right checksum.`,
      sides: [{ name: 'beside the flood', values: rates(bounded), unit: 'k/s' }, yardstick],
    },
    {
      name: 'good traffic beside as many connections of unknown keys',
      values: percent(rates(equal), rates(alone)),
      unit: '% of its rate alone',
      how: `${how} The flood has as many connections, each of which sends when it has its answer: what is fair is a half.`,
      sides: [{ name: 'beside the flood', values: rates(equal), unit: 'k/s' }, yardstick],
    },
    {
      name: 'good keys that the floods drove out of memory',
      values: [...bounded, ...equal].map(({ evicted }) => evicted),
      unit: 'keys',
      goal: { below: 1 },
      how: 'Accepted verifications that had to ask the database, by the metrics.',
    },
  ];
}

/** By the server's own count: accepted verifications that were not answered from memory, and refused ones. */
async function counts(url: string): Promise<{ missed: number; refused: number }> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const count = (line: string) => {
    const found = text.split('\n').find((words) => words.startsWith(`${line} `));
    return found === undefined ? 0 : Number(found.slice(line.length));
  };
  const result = (name: string) => count(`soku_verifications_total{result="${name}"}`);
  if (result('valid') === 0) throw new Error('the metrics do not count verifications');
  return {
    missed: result('valid') - count('soku_cache_lookups_total{found="good"}'),
    refused: result('unknown_key') + result('rate_limited'),
  };
}
