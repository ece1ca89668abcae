import { type Hygiene, type HygieneKind, hygieneSchema } from '@soku/contract/hygiene';
import { infiniteQueryOptions } from '@tanstack/react-query';
import { callApi } from './client.ts';
import { refreshInterval, refreshWhileSignedIn } from './refresh.ts';

export function fetchHygiene(query: Record<string, string>, signal: AbortSignal): Promise<Hygiene> {
  return callApi(`/v1/hygiene?${new URLSearchParams(query)}`, { schema: hygieneSchema, signal });
}

const firstPage: string | null = null;

/** The keys of a kind that need attention. Its first page has the number of keys of each kind. */
export function hygieneOptions(kind: HygieneKind) {
  return infiniteQueryOptions({
    // A change of any key may change the report.
    queryKey: ['keys', 'hygiene', kind],
    queryFn: ({ pageParam, signal }) =>
      fetchHygiene({ kind, ...(pageParam === null ? { include: 'counts' } : { cursor: pageParam }) }, signal),
    initialPageParam: firstPage,
    getNextPageParam: (page: Hygiene) => page.nextCursor,
    refetchInterval: ({ state }) =>
      refreshWhileSignedIn({ state }) && refreshInterval * (state.data?.pages.length ?? 1),
  });
}
