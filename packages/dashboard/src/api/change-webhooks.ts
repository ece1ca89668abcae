/** Calls that create and change webhooks, and what they mean for the cached list. */
import {
  type CreateWebhook,
  deliverySchema,
  type UpdateWebhook,
  type Webhook,
  type WebhookWithSecret,
  webhookSchema,
  webhookWithSecretSchema,
} from '@soku/contract/webhooks';
import type { QueryClient } from '@tanstack/react-query';
import { z } from 'zod';
import { notifyOtherTabs } from './channel.ts';
import { callApi } from './client.ts';
import { webhooksOptions } from './webhooks.ts';

const path = (id: string) => `/v1/webhooks/${encodeURIComponent(id)}`;

/** The response contains the signing secret. Keep it in one component, and never in a cache. */
export function createWebhook(body: CreateWebhook): Promise<WebhookWithSecret> {
  return callApi('/v1/webhooks', { method: 'POST', body, schema: webhookWithSecretSchema });
}

/** The same applies to this response. */
export function rotateSigningSecret(id: string, graceSeconds: number): Promise<WebhookWithSecret> {
  return callApi(`${path(id)}/rotate-secret`, {
    method: 'POST',
    body: { graceSeconds },
    schema: webhookWithSecretSchema,
  });
}

export function changeWebhook(id: string, body: UpdateWebhook): Promise<Webhook> {
  return callApi(path(id), { method: 'PATCH', body, schema: webhookSchema });
}

export async function deleteWebhook(id: string): Promise<void> {
  await callApi(path(id), { method: 'DELETE', schema: z.null() });
}

/** Resolves when the event is queued. */
export async function sendTestEvent(id: string): Promise<void> {
  await callApi(`${path(id)}/test`, { method: 'POST', schema: deliverySchema });
}

/** Resolves when the event is queued again. */
export async function redeliver(id: string, deliveryId: string): Promise<void> {
  await callApi(`${path(id)}/deliveries/${encodeURIComponent(deliveryId)}/redeliver`, {
    method: 'POST',
    schema: deliverySchema,
  });
}

/** Puts the webhook that the server just returned into the cached list. */
export function updateCachedWebhook(client: QueryClient, webhook: Webhook): void {
  changeCachedList(client, (list) =>
    list.some(({ id }) => id === webhook.id)
      ? list.map((each) => (each.id === webhook.id ? webhook : each))
      : [...list, webhook],
  );
}

export function removeCachedWebhook(client: QueryClient, id: string): void {
  changeCachedList(client, (list) => list.filter((webhook) => webhook.id !== id));
}

function changeCachedList(client: QueryClient, change: (list: Webhook[]) => Webhook[]): void {
  client.setQueryData(webhooksOptions.queryKey, (list) => list && change(list));
  void client.invalidateQueries({ queryKey: ['webhooks'] });
  notifyOtherTabs('changed');
}
