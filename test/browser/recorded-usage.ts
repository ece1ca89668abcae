/** Writes past usage to the server's database, because tests cannot wait for hours and days. */
import { msPerHour } from '@soku/contract/instant';
import type { Dashboard } from './dashboard.ts';

export interface PastHour {
  /** 0 is the current hour. */
  hoursAgo: number;
  accepted: number;
  refused?: number;
  /** The error code of the rejected requests. */
  code?: string;
}

/** The start of a past hour, in epoch ms. */
export function startOfHour(hoursAgo: number): number {
  return (Math.floor(Date.now() / msPerHour) - hoursAgo) * msPerHour;
}

export async function recordHours(dashboard: Dashboard, keyId: string, hours: PastHour[]): Promise<void> {
  for (const { hoursAgo, accepted, refused = 0, code = 'rate_limited' } of hours) {
    const hour = String(startOfHour(hoursAgo) / msPerHour);
    await dashboard.database(
      `INSERT INTO usage_hour (hour, key_id, hash, accepted, refused)
       SELECT CAST(? AS BIGINT), key_id, hash, CAST(? AS BIGINT), CAST(? AS BIGINT)
       FROM api_key_secret WHERE key_id = ?`,
      ...[hour, String(accepted), String(refused), keyId],
    );
    await recordTotal(dashboard, keyId, hour, 'accepted', accepted);
    if (refused === 0) continue;
    await recordTotal(dashboard, keyId, hour, code, refused);
    await dashboard.database(
      `INSERT INTO usage_refusal (hour, workspace_id, key_id, code, requests)
       SELECT CAST(? AS BIGINT), workspace_id, id, ?, CAST(? AS BIGINT) FROM api_key WHERE id = ?`,
      ...[hour, code, String(refused), keyId],
    );
  }
}

async function recordTotal(
  dashboard: Dashboard,
  keyId: string,
  hour: string,
  outcome: string,
  requests: number,
): Promise<void> {
  await dashboard.database(
    `INSERT INTO usage_total (hour, workspace_id, outcome, requests)
     SELECT CAST(? AS BIGINT), workspace_id, ?, CAST(? AS BIGINT) FROM api_key WHERE id = ?
     ON CONFLICT (hour, workspace_id, outcome) DO UPDATE SET requests = usage_total.requests + excluded.requests`,
    ...[hour, outcome, String(requests), keyId],
  );
}

export interface PastUse {
  /** Epoch ms. */
  at: number;
  address?: string;
  agent?: string;
}

export async function recordLastUse(dashboard: Dashboard, keyId: string, use: PastUse): Promise<void> {
  const { at, address = '203.0.113.7', agent = 'curl/8.5.0' } = use;
  await dashboard.database(
    `INSERT INTO last_use (key_id, hash, at, address, agent)
     SELECT key_id, hash, CAST(? AS BIGINT), ?, ? FROM api_key_secret WHERE key_id = ?`,
    String(at),
    address,
    agent,
    keyId,
  );
}
