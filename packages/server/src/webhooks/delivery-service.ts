import type { Delivery, DeliveryPage, ListDeliveries } from '@soku/contract/webhooks';
import type { Kysely } from 'kysely';
import { paginate } from '../database/page.ts';
import type { Tables } from '../database/schema.ts';
import type { Caller } from '../http/caller.ts';
import type { Propagation } from '../propagation/propagation.ts';
import { webhookEvent } from './events.ts';
import { presentDelivery } from './present.ts';
import { newTestDelivery } from './queue.ts';
import { findDelivery, findWebhook, lockWebhook } from './store.ts';

interface Options {
  propagation: Propagation;
  /** Epoch ms. */
  now: () => number;
}

/** The log of deliveries, and deliveries at the request of a person. The server makes them in the background. */
export class DeliveryService {
  readonly #db: Kysely<Tables>;
  readonly #options: Options;

  constructor(db: Kysely<Tables>, options: Options) {
    this.#db = db;
    this.#options = options;
  }

  /** Queues a test event. @throws {RequestError} not_found */
  async sendTest(caller: Caller, id: string): Promise<Delivery> {
    const { propagation, now } = this.#options;
    const at = now();
    const { value } = await propagation.commit(async (db) => {
      const webhook = await lockWebhook(db, caller.workspaceId, id);
      const row = newTestDelivery(id, at);
      await db.insertInto('webhook_delivery').values(row).execute();
      const event = webhookEvent(caller, 'webhook.test_sent', webhook, at, { deliveryId: row.id });
      return { value: row.id, events: [event] };
    });
    return presentDelivery(await findDelivery(this.#db, id, value));
  }

  /** @throws {RequestError} not_found */
  async list(
    workspaceId: string,
    id: string,
    { status, limit, cursor }: ListDeliveries,
  ): Promise<DeliveryPage> {
    await findWebhook(this.#db, workspaceId, id);
    const rows = await this.#db
      .selectFrom('webhook_delivery')
      .selectAll()
      .where('webhook_id', '=', id)
      .$if(cursor !== undefined, (query) => query.where('id', '<', cursor ?? ''))
      .$if(status === 'failed', (query) =>
        query.where('next_attempt_at', 'is', null).where('succeeded_at', 'is', null),
      )
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute();
    const { page, nextCursor } = paginate(rows, limit);
    return { data: page.map(presentDelivery), nextCursor };
  }

  /**
   * Queues a delivery again, with the same id, so that a receiver that has processed it can ignore it. A delivery that is
   * being attempted at the moment stays as it is.
   *
   * @throws {RequestError} not_found
   */
  async redeliver(caller: Caller, id: string, deliveryId: string): Promise<Delivery> {
    const { propagation, now } = this.#options;
    const at = now();
    await propagation.commit(async (db) => {
      const webhook = await lockWebhook(db, caller.workspaceId, id);
      await findDelivery(db, id, deliveryId);
      const { numUpdatedRows } = await db
        .updateTable('webhook_delivery')
        .set({ next_attempt_at: at, lease_until: null, attempts: 0, succeeded_at: null, ended_at: null })
        .where('id', '=', deliveryId)
        .where((eb) => eb.or([eb('lease_until', 'is', null), eb('lease_until', '<=', at)]))
        .executeTakeFirst();
      const event = webhookEvent(caller, 'webhook.redelivered', webhook, at, { deliveryId });
      return { value: undefined, events: numUpdatedRows === 0n ? [] : [event] };
    });
    return presentDelivery(await findDelivery(this.#db, id, deliveryId));
  }
}
