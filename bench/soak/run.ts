import { setTimeout as pause } from 'node:timers/promises';
import { startServer } from '../../test/support/server.ts';
import { testTimeoutMs } from '../../test/support/test-timeout.ts';
import { median } from '../figure.ts';
import { residentBytes } from '../process-usage.ts';
import { nodeFlags } from '../start-arguments.ts';
import { SoakClient } from './client.ts';
import { sendAtRate } from './rate.ts';
import { Tally } from './tally.ts';
import { Traffic } from './traffic.ts';

/** The result of a soak. */
export interface SoakResult {
  seconds: number;
  requests: number;
  /** Counts by kind of request and outcome. */
  kinds: Record<string, Record<string, number>>;
  /** The number of wrong responses and other faults; `unexpected` describes the first ones. */
  wrong: number;
  unexpected: string[];
  /** Of the server, in MB: medians of the second and of the last fifth of the run, and the maximum. */
  memory: { second: number; last: number; most: number };
  /** The slowest response of /readyz, in ms. */
  longest: number;
}

/** Keys that stay active during the whole soak. */
const activeKeys = 100;

/** ms between two samples of the memory. */
const memoryEvery = 1000;

interface Options {
  /** Duration. */
  seconds: number;
  /** 1, the default, is about 700 requests per second; a test uses less. */
  share?: number;
  /** Checked when the time is over: on a slow machine the soak continues until this returns true. */
  isEnough?: (kinds: SoakResult['kinds']) => boolean;
}

/** Runs every kind of traffic at once against one real server, at a bounded rate. */
export async function runSoak({ seconds, share = 1, isEnough }: Options): Promise<SoakResult> {
  const tally = new Tally();
  // The limits are the defaults: valid traffic stays below them, and the floods reach the limit of addresses.
  const server = await startServer({
    nodeArguments: nodeFlags,
    env: { SOKU_KEY_RATE_LIMIT: undefined, SOKU_ADDRESS_RATE_LIMIT: undefined },
  });
  const client = new SoakClient(server.url.replace('localhost', '127.0.0.1'));
  const samples: number[] = [];
  let longest = 0;
  try {
    const owner = await server.signIn();
    const scopes = ['keys:read', 'keys:write', 'keys:verify'];
    const { apiKey } = await owner.createKey({ name: 'Soak', scopes, rateLimit: 'off' });
    const traffic = new Traffic(client, tally, apiKey);
    await traffic.createActiveKeys(activeKeys);
    const began = performance.now();
    const isOver = () => {
      const elapsed = performance.now() - began;
      const isShort = isEnough?.(tally.kinds) === false && elapsed < testTimeoutMs;
      return elapsed >= seconds * 1000 && !isShort;
    };
    const at = (perSecond: number, send: () => Promise<void>) => sendAtRate(perSecond * share, isOver, send);
    await Promise.all([
      at(300, () => traffic.verifyActiveKey()),
      at(30, () => traffic.readOwnKey()),
      at(20, () => traffic.verifyFromBackEnd()),
      at(100, () => traffic.verifyUnknownKey()),
      at(100, () => traffic.verifyMalformedKey()),
      at(20, () => traffic.verifyWithoutKey()),
      at(10, () => traffic.createKey()),
      at(10, () => traffic.revokeOldestKey()),
      at(50, () => traffic.verifyRevokedKey()),
      at(5, () => traffic.readManagementPages()),
      at(2, () => traffic.renameKey()),
      sendAtRate(1, isOver, async () => {
        const start = performance.now();
        await traffic.checkHealth();
        longest = Math.max(longest, performance.now() - start);
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
 * Every error in the log is a fault, with one exception: if the server gets no CPU time for a second, its disk seems
 * not to respond, and it rejects what it cannot check.
 */
function checkLog(lines: readonly string[], tally: Tally): void {
  const errors = lines.filter((line) => /"level":[56]0/.test(line));
  const [silent, others] = [errors.filter(isSilence), errors.filter((line) => !isSilence(line))];
  for (const line of others) tally.fault(`in the log: ${line}`);
  if (tally.unavailable > 0 && silent.length === 0)
    tally.fault(`${tally.unavailable} responses of 503, and the log has no reason`);
}

const isSilence = (line: string) => line.includes('"code":"silent"');

async function sampleMemory(pid: number, isOver: () => boolean, samples: number[]): Promise<void> {
  while (!isOver()) {
    samples.push(residentBytes(pid) / 1e6);
    await pause(memoryEvery);
  }
}

/** Skips the first fifth, in which code is compiled and caches fill. */
function inFifths(samples: readonly number[]): SoakResult['memory'] {
  const fifth = samples.length / 5;
  const middle = (from: number) =>
    Math.round(median(samples.slice(Math.floor(from * fifth), Math.ceil((from + 1) * fifth))));
  return { second: middle(1), last: middle(4), most: Math.round(Math.max(...samples)) };
}
