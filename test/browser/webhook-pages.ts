/** The pages of webhooks. */
import { webhookWithSecretSchema } from '@soku/contract/webhooks';
import type { Page } from 'playwright-core';
import type { Person } from '../support/person.ts';

export const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
export const secretField = (page: Page) => page.getByRole('textbox', { name: 'Signing secret' });

/** Adds a webhook that receives the events of another kind than tests cause. */
export async function addQuietWebhook(person: Person, url: string): Promise<{ id: string; secret: string }> {
  const response = await person.call('POST', '/v1/webhooks', { url, events: ['audit.pruned'] });
  const { webhook, secret } = webhookWithSecretSchema.parse(response.body);
  return { id: webhook.id, secret };
}

/** Holds the requests that a pattern and a method describe, until the function that it returns is called. */
export async function holdResponse(page: Page, url: string, method = 'GET'): Promise<() => Promise<void>> {
  const held = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  await page.route(url, async (route) => {
    if (route.request().method() !== method) return route.fallback();
    arrived.resolve();
    await held.promise;
    await route.continue();
  });
  return async () => {
    await arrived.promise;
    held.resolve();
  };
}
