/** How events are queued for webhooks, on both databases. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { event } from '../../../../test/support/audit-log.ts';
import { webhookFixtures, webhooksOn } from '../../../../test/support/webhook-deliveries.ts';

const { action } = webhookFixtures;

for (const which of ['sqlite', 'postgres'] as const) {
  const { withWebhook, close } = webhooksOn(which);
  after(close);

  test(`each matching event is queued once, however many nodes queue at the same time, on ${which}`, async () => {
    const { seal, queue, deliveries, webhook } = await withWebhook('key.created');
    const events = Array.from({ length: 250 }, (_, i) =>
      action(event(i), i % 2 === 0 ? 'key.created' : 'key.updated'),
    );
    await seal([...events, event(999, 'ws_2')]);
    await Promise.all(Array.from({ length: 6 }, queue));
    await queue();
    assert.equal((await webhook()).position, 250);
    const targets = (await deliveries()).map(({ body }) => JSON.parse(body).data.target.id);
    const expected = events.filter((one) => one.action === 'key.created').map(({ target }) => target.id);
    assert.deepEqual(targets.sort(), expected.sort());
  });

  test(`events up to the position of a webhook, and while it is disabled, are not queued, on ${which}`, async () => {
    const { db, seal, queue, deliveries } = await withWebhook();
    await seal([event(4), event(5)]);
    // The clock of the node that created it is ahead of that of the node with the events.
    await db
      .updateTable('webhook')
      .set({ position: 1, created_at: event(9).at })
      .execute();
    await queue();
    assert.deepEqual(
      (await deliveries()).map(({ body }) => JSON.parse(body).data.sequence),
      [2],
    );
    await db.updateTable('webhook').set({ disabled_at: 1, disabled_by: 'usr_1' }).execute();
    await seal([event(6)]);
    await queue();
    assert.equal((await deliveries()).length, 1);
    await db.updateTable('webhook').set({ disabled_at: null }).execute();
    await queue();
    assert.equal((await deliveries()).length, 2, 'it waited');
  });
}
