import { type Delivery, deliveryPageSchema, webhookListSchema } from '@soku/contract/webhooks';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { callApi } from './client.ts';
import { refreshInterval, refreshWhileSignedIn } from './refresh.ts';

/** A workspace has few webhooks, so one call returns all of them. */
export const webhooksOptions = queryOptions({
  queryKey: ['webhooks', 'list'],
  queryFn: async ({ signal }) => (await callApi('/v1/webhooks', { schema: webhookListSchema, signal })).data,
  refetchInterval: refreshWhileSignedIn,
});

const firstPage: string | null = null;

export function deliveriesOptions(webhookId: string, status: 'failed' | undefined) {
  return infiniteQueryOptions({
    queryKey: ['webhooks', 'deliveries', webhookId, status],
    queryFn: ({ pageParam, signal }) => {
      const query = new URLSearchParams();
      if (status) query.set('status', status);
      if (pageParam !== null) query.set('cursor', pageParam);
      return callApi(`/v1/webhooks/${webhookId}/deliveries?${query}`, { schema: deliveryPageSchema, signal });
    },
    initialPageParam: firstPage,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    refetchInterval: ({ state }) => {
      const pages = state.data?.pages ?? [];
      const deliveries = pages.flatMap(({ data }) => data);
      return refreshWhileSignedIn({ state }) && refreshDelay(deliveries, Date.now()) * (pages.length || 1);
    },
  });
}

/** ms between two requests while an attempt is due. */
const soon = 1000;

/** ms. An attempt that is due for longer waits for something else, such as for the webhook to be enabled. */
const longestAttempt = 60_000;

/**
 * When to request the deliveries again: shortly after the next attempt.
 *
 * @param now epoch ms
 * @returns ms
 */
export function refreshDelay(deliveries: readonly Delivery[], now: number): number {
  const waits = deliveries
    .flatMap(({ nextAttemptAt }) => (nextAttemptAt === null ? [] : [Date.parse(nextAttemptAt) - now]))
    .filter((wait) => wait > -longestAttempt);
  return Math.min(refreshInterval, Math.max(0, Math.min(...waits)) + soon);
}
