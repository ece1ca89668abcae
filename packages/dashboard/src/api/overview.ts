import type { AuditEvent } from '@soku/contract/audit';
import type { Hygiene, HygieneKind } from '@soku/contract/hygiene';
import type { Key, KeyList } from '@soku/contract/keys';
import { workspaceUsageSchema } from '@soku/contract/usage';
import { queryOptions } from '@tanstack/react-query';
import { startOfDay, userTimeZone } from '../dates/zone.ts';
import { leakReports } from './audit.ts';
import { callApi } from './client.ts';
import { fetchHygiene } from './hygiene.ts';
import { fetchKey, fetchKeys } from './keys.ts';
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
export interface Attention<OneKey extends Key = KeyList['data'][number]> {
  keys: OneKey[];
  count: number;
}

export interface AttentionLists {
  expiring: Attention;
  unused: Attention<Key>;
  /** Keys with a rotation that has not ended; at most 100. */
  rotating: KeyList['data'];
  /** Keys with a secret that leaked within 30 days and has not ended, the newest reports first; at most 3. */
  leaked: OpenLeak[];
}

export interface OpenLeak {
  key: Key;
  /** When the secret was reported. */
  at: string;
}

/** In days. */
export const expiringWithinDays = 7;
export const unusedForDays = 90;

/** The keys that are unused for that time, as far as their uses are known. */
export const unusedKind: HygieneKind = 'idle_90_days';

export const attentionOptions = queryOptions({
  queryKey: ['keys', 'attention'],
  queryFn: async ({ signal }): Promise<AttentionLists> => {
    const [expiring, unused, rotating, leaked] = await Promise.all([
      fetchKeys(
        { expiresWithinDays: expiringWithinDays, sort: 'expires', limit: 3, include: 'counts,usage' },
        signal,
      ),
      fetchHygiene({ kind: unusedKind, limit: '2', include: 'counts' }, signal),
      fetchKeys({ rotating: 'true', limit: 100 }, signal),
      readLeaks(signal),
    ]);
    return { expiring: attentionOf(expiring), unused: unusedOf(unused), rotating: rotating.data, leaked };
  },
  refetchInterval: refreshWhileSignedIn,
});

type Report = Pick<AuditEvent, 'details'>;

/** Maximum number of keys that are shown, and of keys that are read at the same time. */
const leakLimits = { shown: 3, reads: 10 };

/** Reported secrets that have ended, so that their keys are not read again. */
const endedSecrets = new Set<unknown>();

/** The reports do not say what became of a secret, so their keys are read until enough with an open one are found. */
async function readLeaks(signal: AbortSignal): Promise<OpenLeak[]> {
  const leaks = new Map<string, OpenLeak>();
  for await (const page of leakReports({ range: '30d' }, signal)) {
    const events = page.filter(({ details }) => !endedSecrets.has(details?.secretId));
    const ids = [...new Set(events.map(({ target }) => target.id))].filter((id) => !leaks.has(id));
    while (ids.length > 0 && leaks.size < leakLimits.shown) {
      const keys = await Promise.all(ids.splice(0, leakLimits.reads).map((id) => fetchKey(id, { signal })));
      for (const leak of keys.flatMap((key) => openLeakOf(key, events))) leaks.set(leak.key.id, leak);
    }
    if (leaks.size >= leakLimits.shown) break;
  }
  return [...leaks.values()].slice(0, leakLimits.shown);
}

/** The newest open one of the reports of a key, if any. */
function openLeakOf(key: Key, events: readonly AuditEvent[]): OpenLeak[] {
  const reports = events.filter(({ target }) => target.id === key.id);
  for (const report of reports) if (hasEnded(report, key)) endedSecrets.add(report.details?.secretId);
  const open = reports.find((report) => isOpenLeak(report, key));
  return open ? [{ key, at: open.at }] : [];
}

/** Whether the secret of a report is accepted, or would be if its key was enabled. */
export function isOpenLeak(report: Report, key: Key): boolean {
  return key.status !== 'expired' && !hasEnded(report, key);
}

/** Whether no server will ever accept the secret of a report again. An expired key can get a later date. */
function hasEnded({ details }: Report, { status, secrets }: Key): boolean {
  const secret = secrets.find(({ id }) => id === details?.secretId);
  if (status === 'revoked' || secret === undefined || secret.retiredAt !== null) return true;
  return secret.retiresAt !== null && Date.parse(secret.retiresAt) <= Date.now();
}

function unusedOf({ data, counts }: Hygiene): Attention<Key> {
  return { keys: data.map(({ key }) => key), count: counts?.[unusedKind] ?? data.length };
}

function attentionOf({ data, counts }: KeyList): Attention {
  return { keys: data, count: counts?.active ?? data.length };
}
