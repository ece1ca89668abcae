import { setImmediate as turn } from 'node:timers/promises';
import { testEventType } from '@soku/contract/webhooks';
import type { Insertable, Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { DatabaseUnavailable } from '../database/unavailable.ts';
import { newId } from '../ids.ts';
import { readSealedEvents, type SealedEvent } from '../outbox/sealed-events.ts';

/** Events per transaction. On SQLite, it blocks verification for some ms. */
const batchSize = 100;

/** Transactions per webhook and call, so that a long backlog delays neither other webhooks nor the deliveries. */
const maxBatches = 10;

type WebhookRow = Tables['webhook'];
type Recipient = Pick<WebhookRow, 'id' | 'workspace_id' | 'events' | 'position'>;

/**
 * Queues the new events of each workspace for its webhooks. The transaction that queues events also moves the position
 * of the webhook, and only from the position at which the events were read. So each event is queued once, however many
 * nodes do this.
 *
 * @param now epoch ms
 * @param failed called with the error of a webhook whose events could not be queued. It does not stop the others. An
 *   unavailable database concerns all of them, so that error is thrown
 */
export async function queueEvents(
  db: Kysely<Tables>,
  now: () => number,
  failed: (failure: { webhookId: string; error: unknown }) => void,
): Promise<void> {
  for (const recipient of await findBehind(db)) {
    try {
      await queueFor(db, recipient, now);
    } catch (error) {
      if (error instanceof DatabaseUnavailable) throw error;
      failed({ webhookId: recipient.id, error });
    }
  }
}

async function queueFor(db: Kysely<Tables>, recipient: Recipient, now: () => number): Promise<void> {
  let position: number | undefined = recipient.position;
  for (let batch = 0; batch < maxBatches && position !== undefined; batch++) {
    position = await queueBatch(db, { ...recipient, position }, now());
    // SQLite returns within one turn of the event loop, so this lets other work run.
    await turn();
  }
}

/** The enabled webhooks whose workspace has later events than those queued. */
async function findBehind(db: Kysely<Tables>): Promise<Recipient[]> {
  return db
    .selectFrom('webhook')
    .select(['id', 'workspace_id', 'events', 'position'])
    .where('disabled_at', 'is', null)
    .where((eb) =>
      eb(
        'position',
        '<',
        eb
          .selectFrom('audit_event')
          .select('sequence')
          .whereRef('chain', '=', 'webhook.workspace_id')
          .where('sequence', 'is not', null)
          .orderBy('sequence', 'desc')
          .limit(1),
      ),
    )
    .execute();
}

/** @returns the new position; undefined if there are no further events, or another node queues them */
async function queueBatch(db: Kysely<Tables>, webhook: Recipient, now: number): Promise<number | undefined> {
  const events = await readSealedEvents(db, webhook.workspace_id, webhook.position, batchSize);
  const position = events.at(-1)?.sequence;
  if (position === undefined) return undefined;
  const rows = events
    .filter(({ action }) => webhook.events === '*' || webhook.events.split(' ').includes(action))
    .map((event) => newDelivery(webhook.id, { ...event, data: dataOf(event) }, now));
  const isQueued = await db.transaction().execute(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('webhook')
      .set({ position })
      .where('id', '=', webhook.id)
      .where('position', '=', webhook.position)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return false;
    if (rows.length > 0) await tx.insertInto('webhook_delivery').values(rows).execute();
    return true;
  });
  return isQueued && events.length === batchSize ? position : undefined;
}

/** The event as GET /v1/audit returns it, without the hashes, which only the audit log needs. */
function dataOf({ hash: _, previousHash: __, ...data }: SealedEvent) {
  return data;
}

/** A test event for a webhook. */
export function newTestDelivery(webhookId: string, now: number) {
  const data = { webhookId, text: 'This is a test event.' };
  return newDelivery(
    webhookId,
    { id: null, action: testEventType, at: new Date(now).toISOString(), data },
    now,
  );
}

function newDelivery(
  webhookId: string,
  { id, action, at, data }: { id: string | null; action: string; at: string; data: object },
  now: number,
): Insertable<Tables['webhook_delivery']> {
  return {
    id: newId('whd_', now),
    webhook_id: webhookId,
    event_id: id,
    type: action,
    body: JSON.stringify({ type: action, timestamp: at, data }),
    created_at: now,
    next_attempt_at: now,
    attempts: 0,
  };
}
