import type { Environment } from '@soku/contract/key-policy';
import {
  type Key,
  type KeyList,
  type KeySort,
  keyListSchema,
  keySchema,
  type SortOrder,
  type StatusFilter,
} from '@soku/contract/keys';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { callApi } from './client.ts';
import { refreshInterval, refreshWhileSignedIn } from './refresh.ts';

/** '' and undefined stand for any. */
export interface ListFilter {
  status: StatusFilter;
  q: string;
  /** SHA-256 of a key, in hexadecimal. */
  hash: string;
  sort: KeySort;
  order: SortOrder;
  unusedDays?: number | undefined;
  expiresWithinDays?: number | undefined;
  createdBy?: string | undefined;
  scope?: string | undefined;
  environment?: Environment | undefined;
  externalId?: string | undefined;
  rotating?: 'true' | undefined;
}

const pageSize = 50;
const firstPage: string | null = null;

export function keyListOptions(filter: ListFilter) {
  return infiniteQueryOptions({
    queryKey: ['keys', 'list', filter],
    queryFn: ({ pageParam, signal }) =>
      fetchKeys({ ...filter, include: 'counts,usage', limit: pageSize, cursor: pageParam }, signal),
    initialPageParam: firstPage,
    getNextPageParam: (page: KeyList) => page.nextCursor,
    // A refresh needs one request per loaded page, so a long list is refreshed less often.
    refetchInterval: ({ state }) =>
      refreshWhileSignedIn({ state }) && refreshInterval * (state.data?.pages.length ?? 1),
  });
}

type Query = Record<string, string | number | null | undefined>;

export function fetchKeys(query: Query, signal: AbortSignal) {
  const given = Object.entries(query).filter(
    ([, value]) => value !== '' && value !== null && value !== undefined,
  );
  const parameters = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  return callApi(`/v1/api-keys?${parameters}`, { schema: keyListSchema, signal });
}

export function keyOptions(id: string) {
  return queryOptions({
    queryKey: ['keys', 'one', id],
    queryFn: ({ signal }) => fetchKey(id, { signal }),
  });
}

export function fetchKey(id: string, options: { signal?: AbortSignal } = {}): Promise<Key> {
  return callApi(`/v1/api-keys/${encodeURIComponent(id)}`, { schema: keySchema, ...options });
}
