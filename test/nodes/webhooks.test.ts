/** Webhooks of several nodes: each event comes once, and after kill -9 of a node none is lost. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { targetSchema } from '@soku/contract/audit';
import { z } from 'zod';
import { Deployment } from '../operations/nodes.ts';
import { Contract, eventually } from '../support/contract.ts';
import { Person } from '../support/person.ts';
import { runCount } from '../support/run-count.ts';
import { openSession } from '../support/session.ts';
import { WebhookCalls } from '../support/webhook-calls.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

const events = runCount(120, 10_000);
/** Kills of a node while it sends events. */
const kills = runCount(1, 5);
/** Requests of a node for one webhook at the same time. */
const concurrency = 8;

const deployment = await Deployment.start(2, { SOKU_WEBHOOK_ALLOW: '127.0.0.1' });
after(() => deployment.stop());
const [victim, survivor] = [deployment.node(0), deployment.node(1)];
const ada = new Person(survivor.url, (await openSession(survivor.server)).cookie);
const receiver = await WebhookReceiver.start();
after(() => receiver.close());
const webhooks = new WebhookCalls(await Contract.of(survivor), ada, receiver);
const idsSchema = z.array(z.object({ id: z.string() }));
const countSchema = z.tuple([z.object({ count: z.coerce.number() })]);

const count = async (condition: string) =>
  countSchema.parse(await deployment.query(`SELECT count(*) FROM webhook_delivery WHERE ${condition}`))[0]
    .count;

/** Creates this many keys. @returns their ids */
async function importKeys(total: number): Promise<string[]> {
  const keys = Array.from({ length: total }, (_, i) => ({
    name: `sent ${i}`,
    hash: createHash('sha256').update(randomBytes(32)).digest('hex'),
  }));
  const { status, text } = await ada.call('POST', '/v1/api-keys/import', { keys });
  assert.equal(status, 200, text);
  const rows = await deployment.query("SELECT id FROM api_key WHERE name LIKE 'sent %'");
  return idsSchema.parse(rows).map(({ id }) => id);
}

/** Revokes keys, each of which is an event, in several calls. */
async function revokeInBatches(ids: readonly string[]): Promise<void> {
  const size = Math.ceil(ids.length / 12);
  for (let start = 0; start < ids.length; start += size) {
    const batch = ids.slice(start, start + size);
    const { status, text } = await ada.call('POST', '/v1/api-keys/revoke', { ids: batch });
    assert.equal(status, 200, text);
  }
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
  const { id } = await webhooks.create('/nodes', { events: ['key.revoked'] });
  const keys = await importKeys(events);
  const started = performance.now();
  const revoked = revokeInBatches(keys);
  let killedAt = 0;
  for (let kill = 1; kill <= kills; kill++) {
    await receiver.whenReceived('/nodes', Math.floor((events / (kills + 1)) * kill * 0.5));
    killedAt = await killInTheMiddle();
    if (kill < kills) await victim.start();
  }
  await revoked;
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
  const targets = new Set(receiver.received.map(({ payload }) => targetSchema.parse(payload.data.target).id));
  assert.deepEqual([...targets].sort(), keys.toSorted());
  const repeated = ids.length - events;
  const seconds = Math.round((performance.now() - started) / 1000);
  t.diagnostic(`${events} events in ${seconds} s, ${kills} kills, ${repeated} came twice`);
  assert.ok(repeated > 0 && repeated <= kills * concurrency, `${repeated} came twice`);
  await webhooks.remove(id);
});
