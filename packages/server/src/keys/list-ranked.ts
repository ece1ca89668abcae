import type { SortOrder } from '@soku/contract/keys';
import type { DayRanking } from '../usage/day-ranking.ts';
import type { KeyPlace } from './list-order.ts';

/** The number of the phase of the keys in a ranking, which is in memory. */
export const rankedPhase = 0;

/** The keys in a ranking, in both orders. Each order is computed once, when a list needs it. */
const orders = new WeakMap<DayRanking, Map<SortOrder, readonly KeyPlace[]>>();

/** Compares as the other phases do, except that keys without requests are last in both orders. */
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

function inRankedOrder(ranking: DayRanking, order: SortOrder): readonly KeyPlace[] {
  const known = orders.get(ranking) ?? new Map<SortOrder, readonly KeyPlace[]>();
  orders.set(ranking, known);
  const before = known.get(order);
  if (before !== undefined) return before;
  const places = Array.from(ranking.counts, ([id, value]) => ({ phase: rankedPhase, value, id }));
  places.sort(compareRanked(order));
  known.set(order, places);
  return places;
}

/** @returns the keys of a ranking after a place, in order */
export function rankedAfter(
  ranking: DayRanking,
  order: SortOrder,
  after: KeyPlace | undefined,
): readonly KeyPlace[] {
  const places = inRankedOrder(ranking, order);
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
