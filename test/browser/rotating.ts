/** Rotation through the API, and locators of its dialogs. */
import { createdKeySchema, type Key, keySchema } from '@soku/contract/keys';
import type { Page } from 'playwright-core';
import { bearer, call } from '../support/person.ts';
import type { Dashboard } from './dashboard.ts';
import { dialog } from './key-pages.ts';

/** The response to a verification with this key, as a proxy requests it. It counts as a use. */
export async function verify(dashboard: Dashboard, apiKey: string, agent = 'curl/8.5.0'): Promise<number> {
  const headers = { ...bearer(apiKey), 'user-agent': agent };
  return (await call(`${dashboard.server.url}/v1/verify`, { headers })).status;
}

/** The status of a verification that requires a scope. */
export async function verifyScope({ server }: Dashboard, apiKey: string, scope: string): Promise<number> {
  return (await call(`${server.url}/v1/verify?scope=${scope}`, { headers: bearer(apiKey) })).status;
}

export async function rotate(
  { ada }: Dashboard,
  id: string,
  rotation: { graceSeconds: number; startGrace?: 'now' | 'firstUse' },
): Promise<{ apiKey: string; key: Key }> {
  return createdKeySchema.parse((await ada.call('POST', `/v1/api-keys/${id}/rotate`, rotation)).body);
}

export async function readKey({ ada }: Dashboard, id: string): Promise<Key> {
  return keySchema.parse((await ada.call('GET', `/v1/api-keys/${id}`)).body);
}

/** Moves a rotation and what came before it into the past. */
export async function ageRotation(dashboard: Dashboard, id: string, hours: number): Promise<void> {
  const ms = String(hours * 3_600_000);
  await dashboard.database(
    'UPDATE api_key_secret SET created_at = created_at - CAST(? AS BIGINT) WHERE key_id = ?',
    ms,
    id,
  );
}

export const rotateButton = (page: Page) => dialog(page).getByRole('button', { name: /^Rotate/ });
export const graceField = (page: Page) =>
  dialog(page).getByRole('combobox', { name: /old secret keep working/ });
