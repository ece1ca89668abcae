import type { AuditEvent } from '@soku/contract/audit';
import { type Key, type KeyList, keySchema } from '@soku/contract/keys';
import { workspaceUsageSchema } from '@soku/contract/usage';
import { queryOptions } from '@tanstack/react-query';
import { startOfDay, userTimeZone } from '../dates/zone.ts';
import { fetchLeaks } from './audit.ts';
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
  /** Keys that leaked within 30 days, the newest reports first; at most 3. */
  leaked: OpenLeak[];
}

export interface OpenLeak {
  key: Key;
  /** When it was reported. */
  at: string;
}

/** In days. */
export const expiringWithinDays = 7;
export const unusedForDays = 90;

export const attentionOptions = queryOptions({
  queryKey: ['keys', 'attention'],
  queryFn: async ({ signal }): Promise<AttentionLists> => {
    const [expiring, unused, rotating, leaked] = await Promise.all([
      fetchKeys(
        { expiresWithinDays: expiringWithinDays, sort: 'expires', limit: 3, include: 'counts,usage' },
        signal,
      ),
      fetchKeys(
        { unusedDays: unusedForDays, sort: 'lastUsed', order: 'asc', limit: 2, include: 'counts' },
        signal,
      ),
      fetchKeys({ rotating: 'true', limit: 100 }, signal),
      readLeaks(signal),
    ]);
    return { expiring: attentionOf(expiring), unused: attentionOf(unused), rotating: rotating.data, leaked };
  },
  refetchInterval: refreshWhileSignedIn,
});

/** The reports do not say what became of a key, so the newest ones are read. */
async function readLeaks(signal: AbortSignal): Promise<OpenLeak[]> {
  const events = (await fetchLeaks(signal)).slice(0, 10);
  const leaks = await Promise.all(
    events.map(async (event) => {
      const key = await callApi(`/v1/api-keys/${event.target.id}`, { schema: keySchema, signal });
      return isOpenLeak(event, key) ? [{ key, at: event.at }] : [];
    }),
  );
  return leaks.flat().slice(0, 3);
}

/** Whether the secret of a report is still accepted. */
export function isOpenLeak({ details }: Pick<AuditEvent, 'details'>, { status, secrets }: Key): boolean {
  const secret = secrets.find(({ id }) => id === details?.secretId);
  if (status === 'revoked' || secret === undefined || secret.retiredAt !== null) return false;
  return secret.retiresAt === null || Date.parse(secret.retiresAt) > Date.now();
}

function attentionOf({ data, counts }: KeyList): Attention {
  return { keys: data, count: counts?.active ?? data.length };
}
