import type { Sizes } from './figure.ts';
import { type MeasuredProgram, runAlternately } from './measured-programs.ts';
import { cpuTimeUs } from './process-usage.ts';
import { type Load, type LoadResult, sendLoad } from './wrk.ts';

/** The connections of HTTP figures, unless they state another number. */
export const defaultConnections = 64;

/**
 * A program with its own settings: the path if it is not /v1/verify, its keys if they differ from the others', and
 * whether they are sent in batches.
 */
export type LoadTarget = Pick<MeasuredProgram, 'url' | 'pids'> & {
  path?: string;
  keys?: string;
  batched?: boolean;
  /** Whether the figure is about long runs (`Sizes.sustained`). */
  sustained?: boolean;
  /**
   * Called at the start of each turn. A server that was stopped for more than a second no longer trusts its cache, so
   * it has to verify every key again; with random keys that takes many times as many requests as there are keys.
   */
  warm?: () => Promise<unknown>;
};

export interface TargetResult extends LoadResult {
  /** CPU time of the program's processes per request, in us. */
  cpu: number;
}

/**
 * Measures programs alternately with one load: warm up, then count. In a round, all of them get the same requests in
 * the same order.
 *
 * @returns for each program, in their order, the result of each round
 */
export function compareUnderLoad(
  targets: readonly LoadTarget[],
  load: Partial<Omit<Load, 'url'>>,
  { rounds, sustained: long, ...short }: Sizes,
): Promise<TargetResult[][]> {
  return runAlternately(targets, rounds, async (target, round) => {
    const { url, path = '/v1/verify', keys = load.keys ?? '', batched = false, sustained = false } = target;
    const { warmUp, counted } = sustained ? { warmUp: long, counted: long } : short;
    await target.warm?.();
    const own = { connections: defaultConnections, ...load, keys, batched, url: `${url}${path}` };
    await sendLoad(own, warmUp, 2 * round);
    const before = cpuTimeUs(target.pids);
    const result = await sendLoad(own, counted, 2 * round + 1);
    return { ...result, cpu: (cpuTimeUs(target.pids) - before) / result.requests };
  });
}

/** Requests per CPU second of the program's processes, in thousands. */
export function kiloRequestsPerCpuSecond(counts: readonly TargetResult[] = []): number[] {
  return counts.map(({ cpu }) => 1000 / cpu);
}

export function kiloRequestsPerSecond(counts: readonly LoadResult[] = []): number[] {
  return counts.map(({ rate }) => rate);
}
