import { setImmediate as turn } from 'node:timers/promises';
import type { SortOrder } from '@soku/contract/keys';
import { chunk } from '../chunk.ts';
import type { DayRanking } from '../usage/day-ranking.ts';
import { mergeSorted } from '../usage/merge.ts';
import type { KeyPlace } from './list-order.ts';

/** The number of the phase with the keys of a ranking. It is read from memory, not from an index. */
export const rankedPhase = 0;

/** The keys in a ranking, in both orders. Each order is computed once, when a list needs it. */
const orders = new WeakMap<DayRanking, Map<SortOrder, readonly KeyPlace[]>>();

/** Compares like the other phases, except that keys without requests are last in both orders. */
function compareRanked(order: SortOrder): (a: KeyPlace, b: KeyPlace) => number {
  const sign = order === 'asc' ? 1 : -1;
  return (a, b) => {
    const [one, other] = [Number(a.value), Number(b.value)];
    return (
      Number(one === 0) - Number(other === 0) ||
      sign * (one - other || (a.id < b.id ? -1 : Number(a.id > b.id)))
    );
  };
}

/** Number of keys that are sorted or merged in one turn of the event loop: a few ms. */
const keysPerTurn = 5000;

async function inRankedOrder(ranking: DayRanking, order: SortOrder): Promise<readonly KeyPlace[]> {
  const known = orders.get(ranking) ?? new Map<SortOrder, readonly KeyPlace[]>();
  orders.set(ranking, known);
  const before = known.get(order);
  if (before !== undefined) return before;
  const unsorted = Array.from(ranking.counts, ([id, value]) => ({ phase: rankedPhase, value, id }));
  const places = await sortInTurns(unsorted, compareRanked(order));
  known.set(order, places);
  return places;
}

async function sortInTurns<T>(all: readonly T[], compare: (a: T, b: T) => number): Promise<T[]> {
  const lists: T[][] = [];
  for (const some of chunk(all, keysPerTurn)) {
    lists.push(some.sort(compare));
    if (all.length > keysPerTurn) await turn();
  }
  const sorted: T[] = [];
  for (const one of mergeSorted(lists, compare)) {
    if (sorted.push(one) % keysPerTurn === 0) await turn();
  }
  return sorted;
}

/** @returns the keys of a ranking after a place, in order */
export async function rankedAfter(
  ranking: DayRanking,
  order: SortOrder,
  after: KeyPlace | undefined,
): Promise<readonly KeyPlace[]> {
  const places = await inRankedOrder(ranking, order);
  if (after === undefined) return places;
  const compare = compareRanked(order);
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const place = places[middle];
    if (place !== undefined && compare(place, after) <= 0) low = middle + 1;
    else high = middle;
  }
  return places.slice(low);
}
