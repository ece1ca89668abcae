/** Commands on a webhook while its deliveries are attempted. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Kysely, KyselyPlugin } from 'kysely';
import { openTestDatabase } from '../../../../test/support/open-database.ts';
import type { Tables } from '../database/schema.ts';
import { systemActor } from '../events/actor.ts';
import type { Caller } from '../http/caller.ts';
import { claimDue } from '../outbox/leased-rows.ts';
import type { Propagation } from '../propagation/propagation.ts';
import { ReachableAddresses } from './addresses.ts';
import { DeliveryService } from './delivery-service.ts';
import { WebhookService } from './service.ts';
import { SecretBox } from './signing-secrets.ts';

const caller: Caller = {
  ...{ workspaceId: 'ws_1', scopes: [], environment: 'live', secretHash: null },
  actor: systemActor,
};

/** Runs commands without a transaction, and without their events. */
function propagationOn(db: Kysely<Tables>): Propagation {
  return {
    commit: async (work) => ({ value: (await work(db)).value, effect: { nodes: 1, waitedMs: 0 } }),
  };
}

for (const which of ['sqlite', 'postgres'] as const) {
  const opened = openTestDatabase(which);
  after(async () => (await opened).close());

  const withWebhook = async () => {
    const db = (await opened).database.kysely;
    for (const table of ['webhook_delivery', 'webhook', 'workspace'] as const)
      await db.deleteFrom(table).execute();
    await db
      .insertInto('workspace')
      .values({ id: 'ws_1', name: 'x', rate_limit: null, created_at: 0 })
      .execute();
    const row = { id: 'w', workspace_id: 'ws_1', url: 'https://hooks.example.com/', description: '' };
    await db
      .insertInto('webhook')
      .values({ ...row, events: '*', secrets: '[]', position: 0, created_at: 0, created_by: 'usr_1' })
      .execute();
    return db;
  };

  test(`a change does not enable a webhook that the server disables meanwhile, on ${which}`, async () => {
    const db = await withWebhook();
    let disabling: Promise<unknown> | undefined;
    /** After the command has read the webhook, a delivery disables it. */
    const disablesAfterRead: KyselyPlugin = {
      transformQuery: ({ node }) => node,
      transformResult: async ({ result }) => {
        if (disabling === undefined && result.rows.some(({ url }) => url !== undefined)) {
          const disabled = { disabled_at: 5, disabled_by: 'system', failing_since: 1 };
          disabling = db.updateTable('webhook').set(disabled).execute();
          // On SQLite, it waits for the only connection, and so comes before the next statement of the command.
          if (which === 'postgres') await disabling;
        }
        return result;
      },
    };
    const service = new WebhookService(db, {
      propagation: propagationOn(db.withPlugin(disablesAfterRead)),
      box: new SecretBox('a secret of the deployment, for tests'),
      ...{ addresses: new ReachableAddresses([]), prefixes: ['sk_live_'], now: () => 9 },
    });
    await service.update(caller, 'w', { description: 'changed' });
    const { description, disabled_at, disabled_by, failing_since } = await db
      .selectFrom('webhook')
      .selectAll()
      .executeTakeFirstOrThrow();
    assert.ok(disabling);
    assert.deepEqual([description, disabled_at, disabled_by, failing_since], ['changed', 5, 'system', 1]);
  });

  test(`the first attempt after a redelivery counts, even if a crash left a lease, on ${which}`, async () => {
    const db = await withWebhook();
    const row = { id: 'd', webhook_id: 'w', type: 'x', body: '{}', created_at: 0, next_attempt_at: 1 };
    await db
      .insertInto('webhook_delivery')
      .values({ ...row, attempts: 4, lease_until: 9 })
      .execute();
    const service = new DeliveryService(db, { propagation: propagationOn(db), now: () => 9 });
    await service.redeliver(caller, 'w', 'd');
    const claims = await claimDue(db, 'webhook_delivery', { now: 9, lease: 10, limit: 1 });
    assert.deepEqual(claims, [{ id: 'd', attempts: 1, leaseUntil: 19 }]);
  });
}
