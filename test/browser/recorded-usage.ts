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
    await recordDay(dashboard, keyId, hour, 'accepted', accepted);
    if (refused === 0) continue;
    await recordTotal(dashboard, keyId, hour, code, refused);
    await recordDay(dashboard, keyId, hour, code, refused);
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

/** Adds to the day of the key and to that of its workspace. */
async function recordDay(
  dashboard: Dashboard,
  keyId: string,
  hour: string,
  outcome: string,
  requests: number,
): Promise<void> {
  const column = `h${Number(hour) % 24}`;
  for (const owner of ['k.id', 'k.workspace_id']) {
    await dashboard.database(
      `INSERT INTO usage_day (day, owner, hash, outcome, ${column})
       SELECT CAST(? AS INTEGER), ${owner}, s.hash, ?, CAST(? AS BIGINT)
       FROM api_key k JOIN api_key_secret s ON s.key_id = k.id WHERE k.id = ?
       ON CONFLICT (day, owner, hash, outcome) DO UPDATE SET ${column} = usage_day.${column} + excluded.${column}`,
      ...[String(Math.floor(Number(hour) / 24)), outcome, String(requests), keyId],
    );
  }
}

export interface Client {
  name: string;
  requests: number;
}

interface Clients {
  addresses: Client[];
  otherAddresses?: number;
  programs: Client[];
  otherPrograms?: number;
}

/** Records from where a key was used today. */
export async function recordClients(dashboard: Dashboard, keyId: string, clients: Clients): Promise<void> {
  const { otherAddresses = 0, otherPrograms = 0 } = clients;
  const pairs = (all: Client[]) => all.map(({ name, requests }) => [name, requests]);
  const stored = JSON.stringify({
    addresses: pairs(clients.addresses),
    otherAddresses,
    programs: pairs(clients.programs),
    otherPrograms,
  });
  const day = String(Math.floor(startOfHour(0) / msPerHour / 24));
  for (const owner of ['id', 'workspace_id']) {
    await dashboard.database(
      `INSERT INTO usage_client (day, owner, clients) SELECT CAST(? AS INTEGER), ${owner}, ? FROM api_key WHERE id = ?
       ON CONFLICT (day, owner) DO UPDATE SET clients = excluded.clients`,
      ...[day, stored, keyId],
    );
  }
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
