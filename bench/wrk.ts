import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { cores, requireProgram } from './machine.ts';

const script = fileURLToPath(new URL('programs/wrk.lua', import.meta.url));

/** A closed loop on several connections: each sends its next request after a response. */
export interface Load {
  url: string;
  connections: number;
  /** A file with one key per line. */
  keys: string;
  /** A file with the caller's own key: sends POST /v1/verify, with the other keys in the body. */
  callerKeyFile?: string;
  /** Whether each request verifies 100 keys. */
  batched?: boolean;
  /** Whether rejections are expected. By default, a rejection is an error. */
  expectRejections?: boolean;
  /** Default: the core for load generators. */
  core?: string;
}

/** What wrk.lua prints. */
const reportSchema = z.object({
  requests: z.number(),
  /** us */
  duration: z.number(),
  refused: z.number(),
  broken: z.number(),
  p50: z.number(),
  p99: z.number(),
});

export interface LoadResult {
  /** In thousands per second. */
  rate: number;
  requests: number;
  /** us */
  p50: number;
  p99: number;
}

/**
 * Sends a load for some seconds with wrk, by default on the core for load generators.
 *
 * @param seed of the key order: with the same seed, programs get the same requests
 */
export async function sendLoad(load: Load, seconds: number, seed: number): Promise<LoadResult> {
  const wrk = requireProgram('wrk');
  const own = [
    `-t1`,
    `-c${load.connections}`,
    `-d${seconds}s`,
    '--timeout',
    '10s',
    '-s',
    script,
    load.url,
    '--',
  ];
  const method =
    load.callerKeyFile === undefined
      ? ['get', load.keys, String(seed)]
      : [load.batched === true ? 'batch' : 'post', load.keys, String(seed), load.callerKeyFile];
  const child = spawn('taskset', ['-c', load.core ?? String(cores.load), wrk.file, ...own, ...method], {
    env: { PATH: process.env.PATH, ...wrk.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const printed = await text(child.stdout);
  await closed;
  const line = printed.split('\n').findLast((words) => words.startsWith('{'));
  if (line === undefined) throw new Error(`wrk ended with ${child.exitCode}: ${printed}`);
  const { requests, duration, refused, broken, p50, p99 } = reportSchema.parse(JSON.parse(line));
  if (broken > 0) throw new Error(`${broken} of ${requests} requests to ${load.url} got no response`);
  if (refused > 0 && load.expectRejections !== true) {
    throw new Error(`${refused} of ${requests} requests to ${load.url} were rejected`);
  }
  return { rate: requests / (duration / 1000), requests, p50, p99 };
}
