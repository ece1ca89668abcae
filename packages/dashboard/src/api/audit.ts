import { type AuditEvent, type AuditFilter, type AuditPage, auditPageSchema } from '@soku/contract/audit';
import { msPerDay } from '@soku/contract/instant';
import { keyListSchema } from '@soku/contract/keys';
import { type InfiniteData, infiniteQueryOptions, queryOptions, useQueryClient } from '@tanstack/react-query';
import { withBasePath } from '../base-path.ts';
import { callApi } from './client.ts';
import { refreshInterval, refreshWhileSignedIn } from './refresh.ts';

const ranges = { '24h': msPerDay, '7d': 7 * msPerDay, '30d': 30 * msPerDay };
export type AuditRange = keyof typeof ranges;

/** The entries that a page shows. `range` counts back from the time of each request. */
export interface AuditView extends Pick<AuditFilter, 'action' | 'actorId' | 'keyId' | 'since' | 'until'> {
  range?: AuditRange | undefined;
}

export function isFiltered(view: AuditView): boolean {
  return Object.values(view).some((value) => value !== undefined);
}

function queryOf({ range, since, ...filter }: AuditView): URLSearchParams {
  const start = range === undefined ? since : new Date(Date.now() - ranges[range]).toISOString();
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...filter, since: start }))
    if (value !== undefined) query.set(name, value);
  return query;
}

function fetchPage(view: AuditView, limit: number, cursor: string | null, signal?: AbortSignal) {
  const query = queryOf(view);
  query.set('limit', String(limit));
  if (cursor !== null) query.set('cursor', cursor);
  return callApi(`/v1/audit?${query}`, { schema: auditPageSchema, ...(signal && { signal }) });
}

const pageSize = 50;
const firstPage: string | null = null;

export function auditOptions(view: AuditView) {
  return infiniteQueryOptions({
    queryKey: ['audit', view],
    queryFn: ({ pageParam, signal }) => fetchPage(view, pageSize, pageParam, signal),
    initialPageParam: firstPage,
    getNextPageParam: (page: AuditPage) => page.nextCursor,
    refetchInterval: ({ state }) =>
      refreshWhileSignedIn({ state }) && refreshInterval * (state.data?.pages.length ?? 1),
  });
}

/** The newest keys, as choices for a filter. */
export const keyChoicesOptions = queryOptions({
  queryKey: ['keys', 'choices'],
  queryFn: ({ signal }) => callApi('/v1/api-keys?status=all&limit=100', { schema: keyListSchema, signal }),
  staleTime: 60_000,
});

/** The actors of all loaded entries, by id, each with its most recent name. */
export function useLoadedActors(): Map<string, string> {
  const loaded = useQueryClient().getQueriesData<InfiniteData<AuditPage>>({ queryKey: ['audit'] });
  const events = loaded.flatMap(([, list]) => list?.pages ?? []).flatMap(({ data }) => data);
  events.sort((a, b) => a.at.localeCompare(b.at));
  return new Map(events.map(({ actor }) => [actor.id, actor.name]));
}

/** @returns whether there is anything to export; throws on failure, because a failed download cannot report why */
export async function hasEntries(view: AuditView): Promise<boolean> {
  return (await fetchPage(view, 1, null)).data.length > 0;
}

export function exportUrl(view: AuditView): string {
  return withBasePath(`/v1/audit/export?${queryOf(view)}`);
}

const leakReported = 'key.leak_reported';

/** Reports of leaks in pages, the newest first. */
export async function* leakReports(
  view: Pick<AuditView, 'keyId' | 'range'>,
  signal: AbortSignal,
): AsyncGenerator<AuditEvent[]> {
  let cursor: string | null = null;
  do {
    const page: AuditPage = await fetchPage({ ...view, action: leakReported }, 100, cursor, signal);
    yield page.data;
    cursor = page.nextCursor;
  } while (cursor !== null);
}

/** The newest report of each secret of a key, whether it has ended since or not. */
export function leakOptions(keyId: string) {
  return queryOptions({
    queryKey: ['audit', 'leak', keyId],
    queryFn: async ({ signal }) => {
      const newest = new Map<unknown, AuditEvent>();
      for await (const events of leakReports({ keyId }, signal))
        for (const event of events) {
          const secret = event.details?.secretId;
          if (!newest.has(secret)) newest.set(secret, event);
        }
      return [...newest.values()];
    },
    refetchInterval: refreshWhileSignedIn,
  });
}
