import type { Kysely, Selectable } from 'kysely';
import { lockRow } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { RequestError } from '../http/errors.ts';

export type WebhookRow = Selectable<Tables['webhook']>;
export type DeliveryRow = Selectable<Tables['webhook_delivery']>;

export async function countWebhooks(db: Kysely<Tables>, workspaceId: string): Promise<number> {
  const rows = await db.selectFrom('webhook').select('id').where('workspace_id', '=', workspaceId).execute();
  return rows.length;
}

/** @throws {RequestError} not_found, also for a webhook of another workspace */
export async function findWebhook(db: Kysely<Tables>, workspaceId: string, id: string): Promise<WebhookRow> {
  const row = await db
    .selectFrom('webhook')
    .selectAll()
    .where('id', '=', id)
    .where('workspace_id', '=', workspaceId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('Webhook');
  return row;
}

/**
 * The same with the row of the workspace locked, which serializes the commands on its webhooks. Deliveries take no such
 * lock.
 */
export async function lockWebhook(db: Kysely<Tables>, workspaceId: string, id: string): Promise<WebhookRow> {
  await lockRow(db, 'workspace', workspaceId);
  return findWebhook(db, workspaceId, id);
}

/** @throws {RequestError} not_found */
export async function findDelivery(db: Kysely<Tables>, webhookId: string, id: string): Promise<DeliveryRow> {
  const row = await db
    .selectFrom('webhook_delivery')
    .selectAll()
    .where('id', '=', id)
    .where('webhook_id', '=', webhookId)
    .executeTakeFirst();
  if (row === undefined) throw notFound('Delivery');
  return row;
}

function notFound(what: string): RequestError {
  return new RequestError({ code: 'not_found', message: `${what} not found. Check the id.` });
}
