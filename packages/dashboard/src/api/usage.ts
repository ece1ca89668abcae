import { type RefusedBy, type Usage, usageSchema } from '@soku/contract/usage';
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { callApi } from './client.ts';
import { refreshWhileSignedIn } from './refresh.ts';

/** The last 24 hours and the last use. Refreshes while the page is visible. */
export function usageOptions(id: string) {
  return queryOptions({
    queryKey: ['keys', 'usage', id],
    queryFn: ({ signal }) => fetchUsage(id, 24, signal),
    placeholderData: keepPreviousData,
    refetchInterval: refreshWhileSignedIn,
  });
}

/** For the revoke dialog, which must not wait: no retries, and never from the cache. */
export function lastWeekUsageOptions(id: string) {
  return queryOptions({
    queryKey: ['keys', 'usage', id, 'last week'],
    queryFn: ({ signal }) => fetchUsage(id, 7 * 24, signal),
    retry: false,
    gcTime: 0,
  });
}

/** During an update, a node of an earlier version may respond, which does not know reasons of rejections and secrets. */
const receivedUsageSchema = usageSchema
  .extend({
    refusedBy: usageSchema.shape.refusedBy.optional(),
    secrets: usageSchema.shape.secrets.default([]),
  })
  .transform(({ refusedBy, ...usage }): Usage => {
    const unknown: RefusedBy = usage.refused > 0 ? { other: usage.refused } : {};
    return { ...usage, refusedBy: refusedBy ?? unknown };
  });

function fetchUsage(id: string, hours: number, signal: AbortSignal) {
  return callApi(`/v1/api-keys/${encodeURIComponent(id)}/usage?hours=${hours}`, {
    schema: receivedUsageSchema,
    signal,
  });
}
