/** A command on a webhook while its deliveries are recorded. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { KyselyPlugin } from 'kysely';
import { openTestDatabase } from '../../../../test/support/open-database.ts';
import { systemActor } from '../events/actor.ts';
import { ReachableAddresses } from './addresses.ts';
import { WebhookService } from './service.ts';
import { SecretBox } from './signing-secrets.ts';

for (const which of ['sqlite', 'postgres'] as const) {
  const opened = openTestDatabase(which);
  after(async () => (await opened).close());

  test(`a change does not enable a webhook that the server disables meanwhile, on ${which}`, async () => {
    const db = (await opened).database.kysely;
    await db
      .insertInto('workspace')
      .values({ id: 'ws_1', name: 'x', rate_limit: null, created_at: 0 })
      .execute();
    const row = { id: 'w', workspace_id: 'ws_1', url: 'https://hooks.example.com/', description: '' };
    await db
      .insertInto('webhook')
      .values({ ...row, events: '*', secrets: '[]', position: 0, created_at: 0, created_by: 'usr_1' })
      .execute();
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
      propagation: {
        commit: async (work) => {
          const { value } = await work(db.withPlugin(disablesAfterRead));
          return { value, effect: { nodes: 1, waitedMs: 0 } };
        },
      },
      box: new SecretBox('a secret of the deployment, for tests'),
      ...{ addresses: new ReachableAddresses([]), prefixes: ['sk_live_'], now: () => 9 },
    });
    const caller = { workspaceId: 'ws_1', scopes: [], environment: 'live', secretHash: null } as const;
    await service.update({ ...caller, actor: systemActor }, 'w', { description: 'changed' });
    const { description, disabled_at, disabled_by, failing_since } = await db
      .selectFrom('webhook')
      .selectAll()
      .executeTakeFirstOrThrow();
    assert.ok(disabling);
    assert.deepEqual([description, disabled_at, disabled_by, failing_since], ['changed', 5, 'system', 1]);
  });
}
