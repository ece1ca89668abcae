/** What a revoke of all keys affects. */
import type { WorkspaceUsage } from '@soku/contract/usage';
import { queryOptions } from '@tanstack/react-query';
import { fetchKeys } from '../../../../api/keys.ts';

/** How many keys of the workspace are not revoked. */
export const unrevokedCountOptions = queryOptions({
  queryKey: ['keys', 'unrevoked'],
  queryFn: async ({ signal }) => {
    const { counts } = await fetchKeys({ status: 'all', limit: 1, include: 'counts' }, signal);
    return counts ? counts.all - counts.revoked : 0;
  },
  retry: false,
  gcTime: 0,
});

/** Accepted requests in the last 24 hours, including the current one. */
export function lastDayRequests({ today, yesterday }: WorkspaceUsage): number {
  const hours = [...yesterday.hours, ...today.hours].slice(-24);
  return hours.reduce((sum, { accepted }) => sum + accepted, 0);
}
