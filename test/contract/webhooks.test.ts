/** Webhooks: what receivers get, and the log of deliveries. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { auditPageSchema } from '@soku/contract/audit';
import { deliverySchema, webhookListSchema, webhookWithSecretSchema } from '@soku/contract/webhooks';
import { assertProblem, Contract, eventually } from '../support/contract.ts';
import { openSession } from '../support/session.ts';
import { proxyAndWebhookEnv, sharedServer } from '../support/shared-server.ts';
import { ada as adasAccount } from '../support/two-accounts.ts';
import { WebhookCalls } from '../support/webhook-calls.ts';
import { verifyWebhook, WebhookReceiver } from '../support/webhook-receiver.ts';

const server = await sharedServer(proxyAndWebhookEnv);
const contract = await Contract.of(server);
const ada = await openSession(server, adasAccount);
const receiver = await WebhookReceiver.start();
after(() => receiver.close());
const webhooks = new WebhookCalls(contract, ada, receiver);

test('an event is delivered once, signed, as the audit log has it, and the log shows the delivery', async () => {
  await webhooks.whenSealed();
  const { id, secret, response } = await webhooks.create('/first', {
    description: ' Ops ',
    events: ['key.created'],
  });
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  const { key, apiKey } = await ada.createKey({ name: 'delivered' });
  const [request] = await receiver.whenReceived('/first', 1);
  assert.ok(request);
  const verified = verifyWebhook(secret, request);
  assert.deepEqual(verified, request.payload);
  const [event] = auditPageSchema.parse((await ada.call('GET', `/v1/audit?targetId=${key.id}`)).body).data;
  assert.ok(event);
  const { hash, previousHash, ...data } = event;
  assert.ok(hash && previousHash);
  assert.deepEqual(request.payload, { type: 'key.created', timestamp: event.at, data });
  for (const absent of [apiKey, hash, previousHash, secret]) assert.ok(!request.body.includes(absent));

  const delivery = await webhooks.attempted(id, ({ status }) => status === 'succeeded');
  const { at: _, durationMs, ...attempt } = delivery.lastAttempt;
  assert.ok(durationMs < 15_000);
  assert.deepEqual(attempt, { status: 204, body: '', error: null });
  assert.deepEqual(
    [delivery.id, delivery.eventId, delivery.type, delivery.attempts, delivery.nextAttemptAt],
    [request.id, event.id, 'key.created', 1, null],
  );
  assert.equal(delivery.request.body, request.body);
  for (const [name, value] of Object.entries(delivery.request.headers))
    assert.equal(request.headers[name], value, `the header ${name}`);
  assert.deepEqual(Object.keys(delivery.request.headers), [
    'content-type',
    'webhook-id',
    'webhook-timestamp',
  ]);

  const listed = await webhooks.call('GET', '');
  assert.ok(!listed.text.includes(secret), 'the secret is shown only once');
  const own = webhookListSchema.parse(listed.body).data.find((webhook) => webhook.id === id);
  assert.deepEqual(
    [own?.description, own?.events, own?.failingSince, own?.disabledAt, own?.secrets.length],
    ['Ops', ['key.created'], null, null, 1],
  );
  await webhooks.remove(id);
  assertProblem(await webhooks.call('GET', `/${id}/deliveries`), 'not_found');
});

test('after a rotation, requests have a signature of each secret until the grace is over', async () => {
  const { id, secret: first } = await webhooks.create('/rotated', { events: ['scopes.updated'] });
  const rotate = async (body: object) =>
    webhookWithSecretSchema.parse((await webhooks.call('POST', `/${id}/rotate-secret`, body)).body);
  const second = await rotate({});
  assert.deepEqual(
    second.webhook.secrets.map(({ retiresAt }) => retiresAt === null),
    [true, false],
  );
  const send = async (count: number) => {
    assert.equal((await webhooks.call('POST', `/${id}/test`)).status, 202);
    const request = (await receiver.whenReceived('/rotated', count)).at(-1);
    assert.ok(request);
    return request;
  };
  const during = await send(1);
  assert.equal(during.headers['webhook-signature'].split(' ').length, 2);
  for (const secret of [first, second.secret]) verifyWebhook(secret, during);
  assert.equal(during.payload.type, 'webhook.test');

  const third = await rotate({ graceSeconds: 0 });
  assert.equal(third.webhook.secrets.length, 1);
  const afterwards = await send(2);
  verifyWebhook(third.secret, afterwards);
  for (const secret of [first, second.secret])
    assert.throws(() => verifyWebhook(secret, afterwards), /No matching signature/);

  for (let i = 0; i < 4; i++) await rotate({ graceSeconds: 60 });
  assertProblem(
    await webhooks.call('POST', `/${id}/rotate-secret`, { graceSeconds: 60 }),
    'too_many_secrets',
  );
  assert.equal((await rotate({ graceSeconds: 0 })).webhook.secrets.length, 1);
  await webhooks.remove(id);
});

test('only chosen events are sent; those of a disabled webhook wait until it is enabled', async () => {
  await webhooks.whenSealed();
  const { id } = await webhooks.create('/chosen', { events: ['key.revoked'] });
  const { key: first } = await ada.createKey({ name: 'first' });
  await ada.revoke(first.id);
  await receiver.whenReceived('/chosen', 1);
  const disabled = await webhooks.change(id, { disabled: true });
  assert.equal(disabled.disabledReason, 'person');
  const { key: second } = await ada.createKey({ name: 'second' });
  await ada.revoke(second.id);
  // A webhook that is created later receives this event, so the disabled one would have, too.
  const { id: other } = await webhooks.create('/other', { events: ['webhook.secret_rotated'] });
  await webhooks.call('POST', `/${id}/rotate-secret`, {});
  await receiver.whenReceived('/other', 1);
  assert.equal((await webhooks.deliveries(id)).length, 1);
  assert.equal((await webhooks.change(id, { disabled: false })).disabledAt, null);
  const requests = await receiver.whenReceived('/chosen', 2);
  assert.deepEqual(
    requests.map(({ payload }) => payload.data.target),
    [first, second].map(({ id, name }) => ({ kind: 'key', id, name })),
  );
  for (const one of [id, other]) await webhooks.remove(one);
});

test('a failed attempt is repeated later, stores the start of the response, and can be sent again', async () => {
  const { apiKey } = await ada.createKey({ name: 'echoed' });
  receiver.respond = ({ path }, response) => {
    const isDown = path === '/failing';
    const body = `\0${apiKey} ${'ü'.repeat(4000)}`;
    response.writeHead(isDown ? 500 : 204).end(isDown ? body : '');
  };
  const { id } = await webhooks.create('/failing', { events: ['workspace.updated'] });
  const sent = deliverySchema.parse((await webhooks.call('POST', `/${id}/test`)).body);
  assert.equal(sent.status, 'pending');
  const { lastAttempt, nextAttemptAt, attempts, status } = await webhooks.attempted(id);
  assert.deepEqual(
    [status, attempts, lastAttempt.status, lastAttempt.error],
    ['pending', 1, 500, 'The receiver responded with 500 instead of 2xx.'],
  );
  assert.match(lastAttempt.body ?? '', /^\ufffd\[redacted\] ü+/);
  assert.ok((lastAttempt.body ?? '').length < 1024);
  const wait = Date.parse(nextAttemptAt ?? '') - Date.parse(lastAttempt.at);
  assert.ok(wait >= 5000 && wait < 30_000, `${wait} ms`);
  assert.ok((await webhooks.find(id)).failingSince);

  receiver.respond = (_request, response) => void response.writeHead(200).end('thanks');
  const again = await webhooks.call('POST', `/${id}/deliveries/${sent.id}/redeliver`);
  assert.equal(again.status, 202, again.text);
  const delivered = await webhooks.attempted(id, (delivery) => delivery.status === 'succeeded');
  assert.deepEqual([delivered.lastAttempt.status, delivered.lastAttempt.body], [200, 'thanks']);
  const requests = await receiver.whenReceived('/failing', 2);
  assert.deepEqual(new Set(requests.map((request) => request.id)), new Set([sent.id]), 'the same id');
  assert.equal(new Set(requests.map(({ body }) => body)).size, 1, 'the same body');
  assert.deepEqual(await webhooks.deliveries(id, '?status=failed'), []);
  await webhooks.remove(id);
});

test('a redirect is not followed, and a receiver that is gone is disabled', async () => {
  receiver.respond = ({ path }, response) => {
    const isGone = path === '/gone';
    response.writeHead(isGone ? 410 : 302, isGone ? {} : { location: '/never' }).end();
  };
  const [{ id: moved }, { id: gone }] = [
    await webhooks.create('/moved'),
    await webhooks.create('/gone', { events: ['*'] }),
  ];
  await webhooks.call('POST', `/${moved}/test`);
  const { lastAttempt } = await webhooks.attempted(moved);
  assert.match(lastAttempt.error ?? '', /302. Redirects are not followed/);
  const { disabledReason } = await eventually(
    () => webhooks.find(gone),
    ({ disabledAt }) => disabledAt !== null,
  );
  assert.equal(disabledReason, 'failing');
  const event = (await webhooks.events(gone)).find(({ action }) => action === 'webhook.disabled');
  assert.deepEqual([event?.actor.kind, event?.target.name], ['system', receiver.url]);
  assert.match(String(event?.details?.lastError), /410/);
  assert.ok(!receiver.received.some(({ path }) => path === '/never'));
  const failed = await webhooks.deliveries(gone, '?status=failed');
  assert.deepEqual([failed[0]?.status, failed[0]?.nextAttemptAt], ['failed', null]);
  for (const id of [moved, gone]) await webhooks.remove(id);
  receiver.respond = (_request, response) => void response.writeHead(204).end();
});
