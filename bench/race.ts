import { type Contestant, inTurns } from './contestants.ts';
import type { Sizes } from './figure.ts';
import { type Answered, type Load, send } from './wrk.ts';

/** What HTTP figures are measured with, unless they say otherwise. */
export const usualConnections = 64;

/**
 * A contestant, and what is its own: the path, when that is not /v1/verify, the keys, when others get others, and whether
 * it gets them in batches.
 */
export type Racer = Pick<Contestant, 'url' | 'pids'> & {
  path?: string;
  keys?: string;
  batched?: boolean;
  /**
   * Called at the begin of each turn. A server that was stopped for more than a second trusts nothing in its memory, so
   * it has to see all keys again; by chance that would take many times as many requests as there are keys.
   */
  warm?: () => Promise<unknown>;
};

/**
 * Measures contestants with one load, each in its turns: warm up, then count. In a round all of them get the same
 * requests in the same order.
 *
 * @returns of each contestant, in their order, the count of each round
 */
export function race(
  racers: readonly Racer[],
  load: Partial<Omit<Load, 'url'>>,
  { rounds, warmUp, counted }: Sizes,
): Promise<Answered[][]> {
  return inTurns(
    racers,
    rounds,
    async ({ url, path = '/v1/verify', keys = load.keys ?? '', batched = false, warm }, round) => {
      await warm?.();
      const own = { connections: usualConnections, ...load, keys, batched, url: `${url}${path}` };
      await send(own, warmUp, 2 * round);
      return send(own, counted, 2 * round + 1);
    },
  );
}

export function rates(counts: readonly Answered[] = []): number[] {
  return counts.map(({ rate }) => rate);
}
