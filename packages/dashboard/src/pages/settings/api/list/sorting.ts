import { defaultOrders, type KeySort } from '@soku/contract/keys';
import type { ListFilter } from '../../../../api/keys.ts';

type Sorting = Pick<ListFilter, 'sort' | 'order'>;

const descriptions: Record<KeySort, Record<ListFilter['order'], string>> = {
  name: { asc: 'by name', desc: 'by name, from Z to A' },
  created: { asc: 'oldest first', desc: 'newest first' },
  lastUsed: { asc: 'least recently used first', desc: 'most recently used first' },
  expires: { asc: 'soonest to expire first', desc: 'latest to expire first' },
  preview: { asc: 'by key preview', desc: 'by key preview, from Z to A' },
  usage: { asc: 'fewest requests in 24 hours first', desc: 'most requests in 24 hours first' },
  status: { asc: 'active first', desc: 'revoked first' },
};

export function describeSorting({ sort, order }: Sorting): string {
  return descriptions[sort][order];
}

/** The order after a click on the header of a column: its usual order, then the other one. */
export function sortBy(sort: KeySort, current: Sorting): Sorting {
  if (sort !== current.sort) return { sort, order: defaultOrders[sort] };
  return { sort, order: current.order === 'asc' ? 'desc' : 'asc' };
}

/** The newest keys first, which the page's address does not mention. */
export function isDefaultSorting({ sort, order }: Sorting): boolean {
  return sort === 'created' && order === 'desc';
}
