import { setImmediate as turn } from 'node:timers/promises';
import { msPerDay } from '@soku/contract/instant';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';

/** ms for which a delivery is kept after its last attempt. */
const kept = 30 * msPerDay;

/** Deliveries per statement. On SQLite, it blocks verification for some ms. */
const batchSize = 500;

/**
 * Deletes deliveries that ended 30 days ago, and those of deleted webhooks.
 *
 * @param now epoch ms
 */
export async function pruneDeliveries(db: Kysely<Tables>, now: number): Promise<void> {
  await inBatches(() =>
    db
      .deleteFrom('webhook_delivery')
      .where('id', 'in', (eb) =>
        eb
          .selectFrom('webhook_delivery')
          .select('id')
          .where('ended_at', '<', now - kept)
          .limit(batchSize),
      )
      .executeTakeFirst(),
  );
  for (let id = await nextWebhook(db, ''); id !== undefined; id = await nextWebhook(db, id)) {
    const webhookId = id;
    const webhook = await db.selectFrom('webhook').select('id').where('id', '=', id).executeTakeFirst();
    if (webhook !== undefined) continue;
    await inBatches(() =>
      db
        .deleteFrom('webhook_delivery')
        .where('id', 'in', (eb) =>
          eb.selectFrom('webhook_delivery').select('id').where('webhook_id', '=', webhookId).limit(batchSize),
        )
        .executeTakeFirst(),
    );
  }
}

async function inBatches(deleteBatch: () => Promise<{ numDeletedRows: bigint }>): Promise<void> {
  while ((await deleteBatch()).numDeletedRows === BigInt(batchSize)) await turn();
}

/** The next webhook that has deliveries, in the order of ids; one step in an index, however many there are. */
async function nextWebhook(db: Kysely<Tables>, after: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('webhook_delivery')
    .select('webhook_id')
    .where('webhook_id', '>', after)
    .orderBy('webhook_id')
    .limit(1)
    .executeTakeFirst();
  return row?.webhook_id;
}
