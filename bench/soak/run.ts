import { setTimeout as pause } from 'node:timers/promises';
import { patience } from '../../test/support/patience.ts';
import { startServer } from '../../test/support/server.ts';
import { median } from '../figure.ts';
import { residentMemory } from '../memory.ts';
import { nodeFlags } from '../start-arguments.ts';
import { Client } from './client.ts';
import { keepPace } from './pace.ts';
import { Tally } from './tally.ts';
import { Traffic } from './traffic.ts';

/** What came out of a soak. */
export interface Outcome {
  seconds: number;
  requests: number;
  /** Kind of request to outcome to how many. */
  kinds: Record<string, Record<string, number>>;
  /** How many answers, and other things, were not as they must be; the first of them in words. */
  wrong: number;
  unexpected: string[];
  /** Of the server, in MB: medians of the second and of the last fifth of the time, and the most. */
  memory: { second: number; last: number; most: number };
  /** The longest answer of /readyz, in ms. */
  longest: number;
}

/** Keys that live through the whole soak. */
const livingKeys = 100;

/** ms between two looks at the memory. */
const memoryEvery = 1000;

interface Options {
  /** How long it lasts. */
  seconds: number;
  /** 1, the default, is about 700 requests a second; a test takes less. */
  share?: number;
  /** Asked when that time is over: on a slow machine it goes on until this is true. */
  isEnough?: (kinds: Outcome['kinds']) => boolean;
}

/** Holds one real server under traffic of every kind at once, at a bounded rate. */
export async function runSoak({ seconds, share = 1, isEnough }: Options): Promise<Outcome> {
  const tally = new Tally();
  // The limits are the usual ones: good traffic stays below them, and the floods run into that of addresses.
  const server = await startServer({
    nodeArguments: nodeFlags,
    env: { SOKU_KEY_RATE_LIMIT: undefined, SOKU_ADDRESS_RATE_LIMIT: undefined },
  });
  const client = new Client(server.url.replace('localhost', '127.0.0.1'));
  const samples: number[] = [];
  let longest = 0;
  try {
    const owner = await server.signIn();
    const scopes = ['keys:read', 'keys:write', 'keys:verify'];
    const { apiKey } = await owner.makeKey({ name: 'Soak', scopes, rateLimit: 'off' });
    const traffic = new Traffic(client, tally, apiKey);
    await traffic.makeLiving(livingKeys);
    const began = performance.now();
    const isOver = () => {
      const elapsed = performance.now() - began;
      const isShort = isEnough?.(tally.kinds) === false && elapsed < patience;
      return elapsed >= seconds * 1000 && !isShort;
    };
    const at = (perSecond: number, ask: () => Promise<void>) => keepPace(perSecond * share, isOver, ask);
    await Promise.all([
      at(300, () => traffic.good()),
      at(30, () => traffic.me()),
      at(20, () => traffic.backEnd()),
      at(100, () => traffic.unknown()),
      at(100, () => traffic.malformed()),
      at(20, () => traffic.without()),
      at(10, () => traffic.make()),
      at(10, () => traffic.revoke()),
      at(50, () => traffic.dead()),
      at(5, () => traffic.read()),
      at(2, () => traffic.rename()),
      keepPace(1, isOver, async () => {
        const asked = performance.now();
        await traffic.alive();
        longest = Math.max(longest, performance.now() - asked);
      }),
      sampleMemory(server.pid, isOver, samples),
    ]);
    await traffic.checkUsage();
  } finally {
    client.close();
    const { code } = await server.kill('SIGTERM');
    if (code !== 0) tally.fault(`the server ended with ${code}`);
    await server.stop();
  }
  checkLog(server.output.split('\n'), tally);
  const { kinds, unexpected, total, wrong } = tally;
  return {
    seconds,
    requests: total,
    kinds,
    wrong,
    unexpected,
    memory: inFifths(samples),
    longest: Math.round(longest),
  };
}

/**
 * An error in the log is wrong, but for one: on a machine where the server gets no processor for a second, its disk
 * seems not to respond, and it refuses what it cannot be sure of.
 */
function checkLog(lines: readonly string[], tally: Tally): void {
  const errors = lines.filter((line) => /"level":[56]0/.test(line));
  const [silent, others] = [errors.filter(isSilence), errors.filter((line) => !isSilence(line))];
  for (const line of others) tally.fault(`in the log: ${line}`);
  if (tally.unavailable > 0 && silent.length === 0)
    tally.fault(`${tally.unavailable} answers of 503, and the log says nothing of it`);
}

const isSilence = (line: string) => line.includes('"code":"silent"');

async function sampleMemory(pid: number, isOver: () => boolean, samples: number[]): Promise<void> {
  while (!isOver()) {
    samples.push(residentMemory(pid) / 1e6);
    await pause(memoryEvery);
  }
}

/** The first fifth is left out: the code is being compiled, and the caches fill. */
function inFifths(samples: readonly number[]): Outcome['memory'] {
  const fifth = samples.length / 5;
  const middle = (from: number) =>
    Math.round(median(samples.slice(Math.floor(from * fifth), Math.ceil((from + 1) * fifth))));
  return { second: middle(1), last: middle(4), most: Math.round(Math.max(...samples)) };
}
