import { type UsageHistory, usageHistorySchema } from '@soku/contract/usage-history';
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { fromBase } from '../base-path.ts';
import { userTimeZone } from '../dates/zone.ts';
import { callApi } from './client.ts';
import { refreshWhileSignedIn } from './refresh.ts';

export type UsageRange = '24h' | '7d' | '30d' | '90d';

/** Hours end with the current one. Days are calendar days in the user's time zone, and end with today. */
const parameters: Record<UsageRange, Record<string, string>> = {
  '24h': { hours: '24' },
  '7d': { hours: '168' },
  '30d': { days: '30', timeZone: userTimeZone },
  '90d': { days: '90', timeZone: userTimeZone },
};

/** The usage of a key, or of the workspace if there is none. */
export interface RangeUsage extends UsageHistory {
  keyId: string | undefined;
  range: UsageRange;
}

/** Refreshes while the page is visible. */
export function historyOptions(keyId: string | undefined, range: UsageRange) {
  return queryOptions({
    queryKey: keyId ? ['keys', 'usage-history', keyId, range] : ['workspace-usage', 'history', range],
    queryFn: async ({ signal }): Promise<RangeUsage> => {
      const path = `${pathOf(keyId)}/history?${new URLSearchParams(parameters[range])}`;
      return { ...(await callApi(path, { schema: usageHistorySchema, signal })), keyId, range };
    },
    placeholderData: keepPreviousData,
    refetchInterval: refreshWhileSignedIn,
  });
}

export type UsageTableName = 'requests' | 'clients';

/** The URL of a table of a range as CSV. */
export function csvUrl(keyId: string | undefined, range: UsageRange, table: UsageTableName): string {
  return fromBase(`${pathOf(keyId)}.csv?${new URLSearchParams({ ...parameters[range], table })}`);
}

function pathOf(keyId: string | undefined): string {
  return keyId === undefined ? '/v1/usage' : `/v1/api-keys/${encodeURIComponent(keyId)}/usage`;
}
