import type { KeyList } from '@soku/contract/keys';
import { workspaceUsageSchema } from '@soku/contract/usage';
import { queryOptions } from '@tanstack/react-query';
import { startOfDay, userTimeZone } from '../dates/zone.ts';
import { callApi } from './client.ts';
import { fetchKeys } from './keys.ts';
import { refreshWhileSignedIn } from './refresh.ts';

/** Requests of the workspace today and yesterday in the user's time zone, and its busiest keys. */
export const workspaceUsageOptions = queryOptions({
  queryKey: ['workspace-usage'],
  queryFn: ({ signal }) => {
    const dayStart = new Date(startOfDay(Date.now(), userTimeZone)).toISOString();
    return callApi(`/v1/usage?${new URLSearchParams({ dayStart })}`, {
      schema: workspaceUsageSchema,
      signal,
    });
  },
  refetchInterval: refreshWhileSignedIn,
});

/** Whether the workspace has or had any key. */
export const hasKeysOptions = queryOptions({
  queryKey: ['keys', 'any'],
  queryFn: async ({ signal }) => (await fetchKeys({ status: 'all', limit: 1 }, signal)).data.length > 0,
});

/** Active keys that need attention: the first ones, and how many there are. */
export interface Attention {
  keys: KeyList['data'];
  count: number;
}

export interface AttentionLists {
  expiring: Attention;
  unused: Attention;
  /** Keys with a rotation that has not ended; at most 100. */
  rotating: KeyList['data'];
}

/** In days. */
export const expiringWithinDays = 7;
export const unusedForDays = 90;

export const attentionOptions = queryOptions({
  queryKey: ['keys', 'attention'],
  queryFn: async ({ signal }): Promise<AttentionLists> => {
    const [expiring, unused, rotating] = await Promise.all([
      fetchKeys(
        { expiresWithinDays: expiringWithinDays, sort: 'expires', limit: 3, include: 'counts,usage' },
        signal,
      ),
      fetchKeys(
        { unusedDays: unusedForDays, sort: 'lastUsed', order: 'asc', limit: 2, include: 'counts' },
        signal,
      ),
      fetchKeys({ rotating: 'true', limit: 100 }, signal),
    ]);
    return { expiring: attentionOf(expiring), unused: attentionOf(unused), rotating: rotating.data };
  },
  refetchInterval: refreshWhileSignedIn,
});

function attentionOf({ data, counts }: KeyList): Attention {
  return { keys: data, count: counts?.active ?? data.length };
}
