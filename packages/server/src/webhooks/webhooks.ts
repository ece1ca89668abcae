import { msPerHour } from '@soku/contract/instant';
import { type Kysely, sql } from 'kysely';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { Database } from '../database/open.ts';
import type { Tables } from '../database/schema.ts';
import { throttle } from '../http/logging.ts';
import { LeasedWork, type WorkQueue } from '../outbox/leased-work.ts';
import type { Propagation } from '../propagation/propagation.ts';
import { PeriodicTask, type Schedule, scheduleTimer } from '../timers/periodic-task.ts';
import { version } from '../version.ts';
import { ReachableAddresses } from './addresses.ts';
import { deliveryRetryDelaysMs, WebhookDeliverer } from './deliverer.ts';
import { DeliveryService } from './delivery-service.ts';
import { LazySender } from './lazy-sender.ts';
import { queueEvents } from './queue.ts';
import { pruneDeliveries } from './retention.ts';
import { WebhookService } from './service.ts';
import { SecretBox } from './signing-secrets.ts';

/**
 * In ms. `firstPrune`: the delay of the first deletion of old deliveries, which must not slow down the start. `report`:
 * between two log lines about events that could not be queued.
 */
const times = {
  ...{ interval: 500, request: 15_000, lease: 60_000, stop: 1000 },
  ...{ firstPrune: 60_000, prune: msPerHour, report: 60_000 },
};

/**
 * Maximum requests at the same time on this node. A webhook whose last attempt failed gets one, as it may hang. All
 * webhooks of one workspace get a quarter, so that its receivers do not delay the events of other workspaces.
 */
const concurrency = { all: 100, workspace: 25, webhook: 8, failing: 1 };

/** Assembles the webhooks: their commands, and the background work that sends events to them. */
export function createWebhooks(
  { keyPrefixes: prefixes, webhookAllow }: Pick<Config, 'keyPrefixes' | 'webhookAllow'>,
  { kysely: db }: Pick<Database, 'kysely'>,
  propagation: Propagation,
  secret: string,
  log: Logger,
  schedule: Schedule = scheduleTimer,
) {
  const now = Date.now;
  const addresses = new ReachableAddresses(webhookAllow);
  const box = new SecretBox(secret);
  const sender = new LazySender({ addresses, timeout: times.request });
  const program = `Soku/${version}`;
  const deliverer = new WebhookDeliverer({ db, sender, box, program, timeout: times.request, now });
  const reportQueueing = throttle<{ webhookId: string; error: unknown }>(
    times.report,
    (failure, suppressed) =>
      log.error(
        { webhookId: failure.webhookId, err: failure.error, suppressed },
        'the events of a webhook could not be queued; retrying',
      ),
  );
  const work = new LeasedWork({
    db,
    table: 'webhook_delivery',
    queues: async () => {
      await queueEvents(db, now, reportQueueing);
      return findQueues(db, now());
    },
    attempt: (claim, signal) => deliverer.attempt(claim, signal),
    concurrency: concurrency.all,
    interval: times.interval,
    lease: times.lease,
    waits: [0, ...deliveryRetryDelaysMs],
    stopTimeout: times.stop,
    failed: (error) => log.error({ err: error }, 'events could not be sent to webhooks; retrying'),
    now,
    schedule,
  });
  const pruning = new PeriodicTask(() => pruneDeliveries(db, now()), {
    interval: times.prune,
    failed: (error) => log.error({ err: error }, 'old deliveries of webhooks could not be deleted; retrying'),
    schedule,
  });
  return {
    webhooks: new WebhookService(db, { propagation, box, addresses, prefixes, now }),
    deliveries: new DeliveryService(db, { propagation, now }),
    worker: {
      start: () => {
        work.start();
        pruning.start(times.firstPrune);
      },
      stop: async () => {
        await Promise.all([work.stop(), pruning.stop()]);
        await sender.close();
      },
    },
  };
}

/** The enabled webhooks that have due deliveries, each as a work queue. */
async function findQueues(db: Kysely<Tables>, now: number): Promise<WorkQueue[]> {
  const webhooks = await db
    .selectFrom('webhook')
    .select(['id', 'workspace_id', 'failing_since'])
    .where('disabled_at', 'is', null)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('webhook_delivery')
          .select('id')
          .whereRef('webhook_id', '=', 'webhook.id')
          .where('next_attempt_at', '<=', now),
      ),
    )
    .execute();
  return webhooks.map(({ id, workspace_id, failing_since }) => ({
    name: id,
    group: { name: workspace_id, concurrency: concurrency.workspace },
    // The queue is used until the next round, and the webhook may be disabled before.
    only: sql`webhook_id = ${id} AND EXISTS (SELECT 1 FROM webhook WHERE id = ${id} AND disabled_at IS NULL)`,
    concurrency: failing_since === null ? concurrency.webhook : concurrency.failing,
  }));
}
