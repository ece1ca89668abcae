/** Keys and usage of an imaginary workspace, for the pictures of the documentation. */
import { msPerDay } from '@soku/contract/instant';
import type { Dashboard } from '../test/browser/dashboard.ts';
import {
  type Client,
  type PastHour,
  recordClients,
  recordHours,
  recordLastUse,
} from '../test/browser/recorded-usage.ts';

interface Sample {
  name: string;
  /** Days since it was created. */
  age: number;
  /** Minutes since its last use. */
  used?: number;
  /** Days until it expires. */
  expiresIn?: number;
  scopes?: string[];
  /** Accepted requests in the busiest hour of a day. */
  peak?: number;
  /** Rejected requests in each of the last three hours, and why. */
  rejected?: { count: number; code: string };
  revoked?: boolean;
}

/** Oldest first. */
const samples: Sample[] = [
  {
    name: 'Old mobile app',
    age: 402,
    used: 38 * 24 * 60,
    rejected: { count: 39, code: 'revoked_key' },
    revoked: true,
  },
  { name: 'Legacy importer', age: 310, used: 103 * 24 * 60 },
  { name: 'Data warehouse export', age: 240, used: 6, peak: 610 },
  { name: 'Slack notifier', age: 139, used: 18, peak: 14 },
  { name: 'Onboarding wizard', age: 121, used: 4, peak: 41 },
  { name: 'Support tooling', age: 88, used: 26, peak: 7 },
  {
    name: 'Kestrel Logistics',
    age: 84,
    used: 60,
    peak: 320,
    rejected: { count: 284, code: 'insufficient_scope' },
  },
  { name: 'Fraud scoring', age: 61, used: 1, peak: 4900 },
  { name: 'Invoice PDF renderer', age: 57, used: 12, expiresIn: 2.4, peak: 1700 },
  { name: 'Webhook dispatcher', age: 48, used: 0, peak: 6800 },
  { name: 'Staging', age: 33, used: 1, peak: 480, scopes: ['keys:read'] },
  { name: 'Billing worker', age: 29, used: 0, peak: 14_200, rejected: { count: 41, code: 'rate_limited' } },
  { name: 'Checkout web', age: 21, used: 0, peak: 27_100 },
  { name: 'Refund desk', age: 17, used: 120, expiresIn: 11, peak: 9 },
  { name: 'CI/CD Pipeline', age: 12, used: 9, scopes: ['keys:read', 'keys:write'], peak: 22 },
  { name: 'Production Server', age: 2, used: 0, peak: 29_400, rejected: { count: 3, code: 'rate_limited' } },
];

/**
 * Creates the keys with their usage.
 *
 * @param localHour the hour of the day, with the part that has passed as a fraction
 * @returns the ids of the keys by name
 */
export async function fillWorkspace(dashboard: Dashboard, localHour: number): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  for (const sample of samples) {
    const { name, age, scopes = [], expiresIn, used, revoked = false } = sample;
    const expiry =
      expiresIn === undefined ? {} : { expiresAt: new Date(Date.now() + expiresIn * msPerDay).toISOString() };
    const { key } = await dashboard.ada.createKey({ name, scopes, ...expiry });
    ids.set(name, key.id);
    await dashboard.database(
      'UPDATE api_key SET created_at = created_at - ? WHERE id = ?',
      age * msPerDay,
      key.id,
    );
    if (used !== undefined) {
      await recordLastUse(dashboard, key.id, { at: Date.now() - used * 60_000 - 20_000 });
    }
    await recordHours(dashboard, key.id, pastHours(sample, localHour));
    if (revoked) await dashboard.ada.revoke(key.id);
  }
  const requests = samples.map((sample) => acceptedToday(pastHours(sample, localHour)));
  // The last call sets the clients of the workspace. The key that it names is in no picture.
  await recordClients(dashboard, ids.get('Production Server') ?? '', clientsOf(requests.at(-1) ?? 0));
  await recordClients(
    dashboard,
    ids.get('Staging') ?? '',
    clientsOf(requests.reduce((sum, some) => sum + some, 0)),
  );
  return ids;
}

/** In the last 24 hours. */
function acceptedToday(hours: readonly PastHour[]): number {
  return hours.slice(0, 24).reduce((sum, { accepted }) => sum + (accepted ?? 0), 0);
}

/** From where so many requests came. */
function clientsOf(requests: number) {
  const [addresses, otherAddresses] = split(requests, {
    '203.0.113.7': 0.46,
    '203.0.113.8': 0.31,
    '2001:db8:85a3::8a2e:370:7334': 0.14,
    '198.51.100.23': 0.06,
  });
  const [programs, otherPrograms] = split(requests, {
    'node-fetch/3.3.2': 0.58,
    'python-requests/2.32.3': 0.27,
    'okhttp/4.12.0': 0.11,
    'curl/8.5.0': 0.03,
  });
  return { addresses, otherAddresses, programs, otherPrograms };
}

/** @returns the requests of each, and those of the others */
function split(requests: number, shares: Readonly<Record<string, number>>): [Client[], number] {
  const parts = Object.entries(shares).map(([name, share]) => ({
    name,
    requests: Math.round(share * requests),
  }));
  return [parts, requests - parts.reduce((sum, part) => sum + part.requests, 0)];
}

/** The last three days: quiet nights, a little more today than yesterday. */
function pastHours({ peak = 0, age, rejected, name }: Sample, localHour: number): PastHour[] {
  if (peak === 0 && rejected === undefined) return [];
  const hours = Math.min(72, age * 24);
  return Array.from({ length: hours }, (_, hoursAgo) => {
    const hour = (((Math.floor(localHour) - hoursAgo) % 24) + 24) % 24;
    const shareOfDay = 0.14 + 0.86 * Math.max(0, Math.sin(((hour - 5) / 18) * Math.PI)) ** 1.5;
    const growth = hoursAgo <= localHour ? 1.08 : 1;
    // Differs by hour and key, and is the same in each run.
    const noise = 0.93 + 0.14 * Math.abs(Math.sin(hour * 7 + name.length * 3 + hoursAgo));
    const refused =
      rejected && hoursAgo < 3 ? Math.round(rejected.count * (1 + 0.3 * Math.sin(hoursAgo))) : 0;
    return {
      hoursAgo,
      accepted: Math.round(peak * shareOfDay * growth * noise * (hoursAgo === 0 ? localHour % 1 : 1)),
      refused,
      ...(rejected ? { code: rejected.code } : {}),
    };
  });
}
