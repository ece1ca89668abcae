/** How events are queued for webhooks, on both databases. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { testEvent } from '../../../../test/support/audit-log.ts';
import { openWebhooks, webhookFixtures } from '../../../../test/support/webhook-deliveries.ts';

const { action } = webhookFixtures;

for (const which of ['sqlite', 'postgres'] as const) {
  const { withWebhook, close } = openWebhooks(which);
  after(close);

  test(`each matching event is queued once, however many nodes queue at the same time, on ${which}`, async () => {
    const { seal, queue, deliveries, webhook } = await withWebhook('key.created');
    const events = Array.from({ length: 250 }, (_, i) =>
      action(testEvent(i), i % 2 === 0 ? 'key.created' : 'key.updated'),
    );
    await seal([...events, testEvent(999, 'ws_2')]);
    await Promise.all(Array.from({ length: 6 }, queue));
    await queue();
    assert.equal((await webhook()).position, 250);
    const targets = (await deliveries()).map(({ body }) => JSON.parse(body).data.target.id);
    const expected = events.filter((one) => one.action === 'key.created').map(({ target }) => target.id);
    assert.deepEqual(targets.sort(), expected.sort());
  });

  test(`a webhook whose events cannot be queued does not stop others, on ${which}`, async () => {
    const { db, seal, queueOr, webhook, deliveries } = await withWebhook();
    await db
      .insertInto('workspace')
      .values({ id: 'ws_2', name: 'x', rate_limit: null, created_at: 0 })
      .execute();
    const other = { ...(await webhook()), workspace_id: 'ws_2' };
    await db
      .insertInto('webhook')
      .values([
        { ...other, id: 'a' },
        { ...other, id: 'z' },
      ])
      .execute();
    await seal([testEvent(0), testEvent(1, 'ws_2')]);
    // As if its position had been moved back.
    const { id: event_id } = await db
      .selectFrom('audit_event')
      .select('id')
      .where('chain', '=', 'ws_1')
      .executeTakeFirstOrThrow();
    const queued = { id: 'd', webhook_id: 'w', event_id, type: 'x', body: '{}', created_at: 0, attempts: 1 };
    await db.insertInto('webhook_delivery').values(queued).execute();
    const failed: string[] = [];
    await queueOr(({ webhookId }) => failed.push(webhookId));
    assert.deepEqual(failed, ['w']);
    assert.deepEqual((await deliveries()).map(({ webhook_id }) => webhook_id).sort(), ['a', 'w', 'z']);
  });

  test(`events up to the position of a webhook, and while it is disabled, are not queued, on ${which}`, async () => {
    const { db, seal, queue, deliveries } = await withWebhook();
    await seal([testEvent(4), testEvent(5)]);
    // The clock of the node that created it is ahead of that of the node with the events.
    await db
      .updateTable('webhook')
      .set({ position: 1, created_at: testEvent(9).at })
      .execute();
    await queue();
    assert.deepEqual(
      (await deliveries()).map(({ body }) => JSON.parse(body).data.sequence),
      [2],
    );
    await db.updateTable('webhook').set({ disabled_at: 1, disabled_by: 'usr_1' }).execute();
    await seal([testEvent(6)]);
    await queue();
    assert.equal((await deliveries()).length, 1);
    await db.updateTable('webhook').set({ disabled_at: null }).execute();
    await queue();
    assert.equal((await deliveries()).length, 2, 'it waited');
  });
}
