import { setTimeout as pause } from 'node:timers/promises';
import { defaultConnections } from '../compare-under-load.ts';
import { abbreviateCount, type Figure, ratiosInPercent, type Sizes } from '../figure.ts';
import { keyAt, keyFiles, spreadEvenly, unknownKeyAt } from '../keys.ts';
import { cores, requireCores, requireProgram } from '../machine.ts';
import { runAlternately, startSoku } from '../measured-programs.ts';
import { runProgram } from '../programs.ts';
import { seededDataDir } from '../seeded.ts';
import { verifyEach } from '../verify-each.ts';
import { sendLoad } from '../wrk.ts';

/** Unknown keys per second of the bounded flood: 300,000 per minute, while the limit of an address is 60. */
const floodRate = 5000;

/** More unknown keys than the server caches, so that most of them read the database again. */
const unknownKeys = 300_000;

/** Seconds by which a flood outlasts the count, because the programs take time to start. */
const spare = 8;

/** The cost of unknown keys for other clients: valid traffic alone, during a bounded flood, and during an equal one. */
export async function measureFlood(sizes: Sizes): Promise<Figure[]> {
  requireCores();
  requireProgram('wrk');
  const inUse = spreadEvenly(sizes.keysInUse, sizes.keys).map(keyAt);
  using files = keyFiles();
  const keys = files.write(inUse);
  const unknown = files.write(Array.from({ length: unknownKeys }, (_, i) => unknownKeyAt(i)));
  await using soku = await startSoku(await seededDataDir(sizes.keys));
  await verifyEach(soku.url, inUse.values());

  const url = `${soku.url}/v1/verify`;
  const lasts = sizes.warmUp + sizes.counted + spare;
  const connections = defaultConnections;
  /** Each resolves when it has been sent, and rejects if one of its keys is accepted. */
  const floods = {
    none: async () => undefined,
    bounded: (round: number) => {
      const first = unknownKeys + round * floodRate * lasts;
      return runProgram('unknown-keys.ts', [url, floodRate, lasts, first], cores.load);
    },
    equal: (round: number) =>
      sendLoad({ url, connections, keys: unknown, expectRejections: true }, lasts, round),
  };
  const turns = [floods.none, floods.bounded, floods.equal].map((flood) => ({ ...soku, flood }));
  const [alone = [], bounded = [], equal = []] = await runAlternately(
    turns,
    sizes.rounds,
    async (turn, round) => {
      const before = await counts(soku.url);
      let ended = false;
      const flooding = turn.flood(round).finally(() => {
        ended = true;
      });
      // It is awaited at the end, where an earlier failure is reported.
      flooding.catch(() => undefined);
      while (!ended && (await counts(soku.url)).refused === before.refused) await pause(50);
      await sendLoad({ url, connections, keys }, sizes.warmUp, 2 * round);
      const { rate } = await sendLoad({ url, connections, keys }, sizes.counted, 2 * round + 1);
      if (ended && turn.flood !== floods.none) throw new Error('the flood ended before the count did');
      await flooding;
      return { rate, evicted: (await counts(soku.url)).missed - before.missed };
    },
  );

  const rates = (turn: readonly { rate: number }[]) => turn.map(({ rate }) => rate);
  const how = `${connections} wrk connections with ${abbreviateCount(sizes.keysInUse)} random valid keys, alone and during the flood. Both loads share a core and come from one address with the default limit (60 per minute).`;
  const yardstick = { name: 'alone', values: rates(alone), unit: 'k/s' };
  return [
    {
      name: `valid traffic during a flood of ${abbreviateCount(floodRate)} unknown keys/s`,
      values: ratiosInPercent(rates(bounded), rates(alone)),
      unit: '% of its rate alone',
      goal: { atLeast: 85 },
      how: `${how} Every unknown key is different and has a correct checksum.`,
      sides: [{ name: 'during the flood', values: rates(bounded), unit: 'k/s' }, yardstick],
    },
    {
      name: 'valid traffic during a flood from the same number of connections',
      values: ratiosInPercent(rates(equal), rates(alone)),
      unit: '% of its rate alone',
      goal: { atLeast: 45 },
      how: `${how} The flood uses the same number of connections, each of which sends its next request after a response, so a fair share is one half.`,
      sides: [{ name: 'during the flood', values: rates(equal), unit: 'k/s' }, yardstick],
    },
    {
      name: 'valid keys evicted by the floods',
      values: [...bounded, ...equal].map(({ evicted }) => evicted),
      unit: 'keys',
      goal: { below: 1 },
      how: 'Accepted verifications that had to read the database, according to the metrics.',
    },
  ];
}

/** The server's own counts: accepted verifications that were not cached, and rejected ones. */
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
