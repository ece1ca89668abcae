import { type UsageHistory, usageHistorySchema } from '@soku/contract/usage-history';
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { withBasePath } from '../base-path.ts';
import { offsetZone, userTimeZone } from '../dates/zone.ts';
import { ApiError, callApi } from './client.ts';
import { refreshWhileSignedIn } from './refresh.ts';

export type UsageRange = '24h' | '7d' | '30d' | '90d';

/** Hours end with the current one. Days are calendar days of a time zone, and end with today. */
const parameters: Record<UsageRange, Record<string, string>> = {
  '24h': { hours: '24' },
  '7d': { hours: '168' },
  '30d': { days: '30' },
  '90d': { days: '90' },
};

function hasDays(range: UsageRange): boolean {
  return range === '30d' || range === '90d';
}

function query(range: UsageRange, timeZone: string): Record<string, string> {
  return hasDays(range) ? { ...parameters[range], timeZone } : parameters[range];
}

/** The usage of a key, or of the workspace if there is none. */
export interface RangeUsage extends UsageHistory {
  keyId: string | undefined;
  range: UsageRange;
  /** Whose days these are. Hours are in the user's time zone. */
  timeZone: string;
}

/** The user's time zone, unless the server has responded that it does not know it: browsers can have newer names. */
let daysZone = userTimeZone;

/** Refreshes while the page is visible. */
export function historyOptions(keyId: string | undefined, range: UsageRange) {
  return queryOptions({
    queryKey: keyId ? ['keys', 'usage-history', keyId, range] : ['workspace-usage', 'history', range],
    queryFn: async ({ signal }): Promise<RangeUsage> => {
      const read = async (timeZone: string) => {
        const path = `${pathOf(keyId)}/history?${new URLSearchParams(query(range, timeZone))}`;
        return { ...(await callApi(path, { schema: usageHistorySchema, signal })), keyId, range, timeZone };
      };
      if (!hasDays(range)) return read(userTimeZone);
      const zone = daysZone;
      return read(zone).catch((error: unknown) => {
        if (zone !== userTimeZone || !isUnknownZone(error)) throw error;
        daysZone = offsetZone(Date.now(), userTimeZone);
        return read(daysZone);
      });
    },
    placeholderData: keepPreviousData,
    refetchInterval: refreshWhileSignedIn,
  });
}

export type UsageTableName = 'requests' | 'clients';

/** The URL of a table of a range as CSV. */
export function csvUrl(
  keyId: string | undefined,
  range: UsageRange,
  table: UsageTableName,
  timeZone: string,
): string {
  return withBasePath(`${pathOf(keyId)}.csv?${new URLSearchParams({ ...query(range, timeZone), table })}`);
}

function isUnknownZone(error: unknown): boolean {
  return (
    error instanceof ApiError && error.status === 400 && error.details.some(({ path }) => path === 'timeZone')
  );
}

function pathOf(keyId: string | undefined): string {
  return keyId === undefined ? '/v1/usage' : `/v1/api-keys/${encodeURIComponent(keyId)}/usage`;
}
