/** Webhooks of several nodes: each event comes once, and after kill -9 of a node none is lost. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { z } from 'zod';
import { Deployment } from '../operations/nodes.ts';
import { Contract, eventually } from '../support/contract.ts';
import { times } from '../support/long.ts';
import { Person } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { WebhookCalls } from '../support/webhook-calls.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

const events = times(120, 10_000);
/** Kills of a node while it sends events. */
const kills = times(1, 5);
/** Concurrent callers, and requests of a node for one webhook. */
const concurrency = 8;

const deployment = await Deployment.start(2, { SOKU_WEBHOOK_ALLOW: '127.0.0.1' });
after(() => deployment.stop());
const [victim, survivor] = [deployment.node(0), deployment.node(1)];
const ada = new Person(survivor.url, (await openSession(survivor.server)).cookie);
const receiver = await WebhookReceiver.start();
after(() => receiver.close());
const webhooks = new WebhookCalls(await Contract.of(survivor), ada, receiver);
const countSchema = z.tuple([z.object({ count: z.coerce.number() })]);

const count = async (condition: string) =>
  countSchema.parse(await deployment.query(`SELECT count(*) FROM webhook_delivery WHERE ${condition}`))[0]
    .count;

/** Renames a key again and again, each of which is an event, with several callers. */
async function rename(id: string, total: number): Promise<void> {
  let next = 0;
  const work = async () => {
    for (let i = next++; i < total; i = next++) {
      const { status, text } = await ada.call('PATCH', `/v1/api-keys/${id}`, { name: `name ${i}` });
      assert.equal(status, 200, text);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}

/** Kills the node while it has open requests, which end without a response for it. @returns the time, in epoch ms */
async function killInTheMiddle(): Promise<number> {
  let open = 0;
  const enough = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  receiver.respond = async (_request, response) => {
    open += 1;
    // More than one node may have open, so each of them has some.
    if (open > concurrency) enough.resolve();
    await released.promise;
    response.writeHead(204).end();
  };
  await enough.promise;
  await victim.server.kill('SIGKILL');
  const killedAt = Date.now();
  receiver.respond = (_request, response) => void response.writeHead(204).end();
  released.resolve();
  return killedAt;
}

test('after kill -9 in the middle, every event arrives, and only those of that moment arrive twice', async (t) => {
  const { id } = await webhooks.create('/nodes', { events: ['key.updated'] });
  const { key } = await ada.createKey({ name: 'renamed' });
  const renamed = rename(key.id, events);
  let killedAt = 0;
  for (let kill = 1; kill <= kills; kill++) {
    await receiver.whenReceived('/nodes', Math.floor((events / (kills + 1)) * kill * 0.5));
    killedAt = await killInTheMiddle();
    if (kill < kills) await victim.start();
  }
  await renamed;
  await eventually(
    () => count('next_attempt_at IS NOT NULL AND lease_until IS NULL'),
    (waiting) => waiting === 0,
  );
  // The leases of the killed node end now, instead of in a minute. Those of the other one have ended.
  await deployment.query(
    `UPDATE webhook_delivery SET lease_until = 0 WHERE lease_until < ${killedAt + 60_000}`,
  );
  await eventually(
    () => count('succeeded_at IS NOT NULL'),
    (succeeded) => succeeded === events,
  );
  assert.equal(await count('TRUE'), events, 'each event was queued once');
  const ids = receiver.received.map((request) => request.id);
  assert.equal(new Set(ids).size, events, 'none is lost');
  const names = new Set(receiver.received.map(({ payload }) => JSON.stringify(payload.data.changes)));
  assert.equal(names.size, events);
  const repeated = ids.length - events;
  t.diagnostic(`${events} events, ${kills} kills, ${repeated} came twice`);
  assert.ok(repeated > 0 && repeated <= kills * concurrency, `${repeated} came twice`);
  await webhooks.remove(id);
});
