/** The commands of webhooks: what they reject, who may call them, and their events. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { deliverySchema, webhookListSchema } from '@soku/contract/webhooks';
import { assertProblem, Contract } from '../support/contract.ts';
import { runSql } from '../support/run-sql.ts';
import { openSession } from '../support/session.ts';
import { proxyAndWebhookEnv, sharedServer } from '../support/shared-server.ts';
import { ada as adasAccount, bob as bobsAccount } from '../support/two-accounts.ts';
import { WebhookCalls } from '../support/webhook-calls.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

const server = await sharedServer(proxyAndWebhookEnv);
const contract = await Contract.of(server);
const [ada, bob] = [await openSession(server, adasAccount), await openSession(server, bobsAccount)];
const receiver = await WebhookReceiver.start();
after(() => receiver.close());
const webhooks = new WebhookCalls(contract, ada, receiver);

test('an invalid webhook is rejected with the path of the field', async () => {
  const { apiKey } = await ada.createKey({ name: 'pasted' });
  const { id } = await webhooks.create('/valid');
  const urls = [
    'nonsense',
    'ftp://hooks.example.com',
    'http://hooks.example.com',
    'https://ada:secret@hooks.example.com',
    'https://hooks.example.com/#part',
    `https://hooks.example.com/?token=${encodeURIComponent(apiKey)}`,
    `https://hooks.example.com/${'x'.repeat(2000)}`,
    'https://127.0.0.2',
    'https://10.0.0.1',
    'https://169.254.169.254/latest/meta-data',
    'https://2130706434/',
    'https://0x7f.2',
    'https://[::1]',
    'https://[::ffff:10.0.0.1]',
    'https://[64:ff9b::a00:1]',
    'https://[fe80::1]',
  ];
  const url = 'https://hooks.example.com';
  const cases: [object, string][] = [
    ...urls.map((one): [object, string] => [{ url: one }, 'url']),
    [{ url, description: 'x'.repeat(201) }, 'description'],
    [{ url, description: apiKey }, 'description'],
    [{ url, events: [] }, 'events'],
    [{ url, events: ['key.eaten'] }, 'events.0'],
    [{ url, events: ['account.signed_in'] }, 'events.0'],
    [{ url, events: ['*', 'key.created'] }, 'events'],
    [{ url, secret: 'whsec_' }, 'body'],
  ];
  for (const [body, path] of cases) {
    for (const response of [
      await webhooks.call('POST', '', body),
      await webhooks.call('PATCH', `/${id}`, body),
    ]) {
      const error = assertProblem(response, 'invalid_request');
      assert.equal(error.details?.[0]?.path, path, JSON.stringify(body));
      assert.ok(!response.text.includes(apiKey));
    }
  }
  assertProblem(await webhooks.call('POST', ''), 'invalid_request');
  assertProblem(await webhooks.call('GET', `/${id}/deliveries?status=pending`), 'invalid_request');
  for (const accepted of ['http://hooks.internal/x', 'http://127.0.0.1:9', 'https://hooks.example.com/a?b=c'])
    assert.equal((await webhooks.change(id, { url: accepted })).url, new URL(accepted).href);
  await webhooks.remove(id);
});

test('webhooks are for people of the workspace only', async () => {
  const { id } = await webhooks.create('/private');
  const sent = deliverySchema.parse((await webhooks.call('POST', `/${id}/test`)).body);
  const { apiKey } = await ada.createKey({
    name: 'manager',
    scopes: ['keys:read', 'keys:write', 'audit:read'],
  });
  const calls: [string, string, object | undefined][] = [
    ['PATCH', `/${id}`, { disabled: true }],
    ['DELETE', `/${id}`, undefined],
    ['POST', `/${id}/rotate-secret`, {}],
    ['POST', `/${id}/test`, undefined],
    ['GET', `/${id}/deliveries`, undefined],
    ['POST', `/${id}/deliveries/${sent.id}/redeliver`, undefined],
  ];
  for (const [method, path, body] of calls) {
    assertProblem(await webhooks.call(method, path, body, bob), 'not_found');
    const request = { key: apiKey, ...(body === undefined ? {} : { body }) };
    assertProblem(await contract.call(method, `/v1/webhooks${path}`, request), 'session_required');
  }
  assertProblem(await contract.call('GET', '/v1/webhooks', { key: apiKey }), 'session_required');
  const url = 'https://hooks.example.com';
  assertProblem(
    await contract.call('POST', '/v1/webhooks', { key: apiKey, body: { url } }),
    'session_required',
  );
  assert.deepEqual(webhookListSchema.parse((await webhooks.call('GET', '', undefined, bob)).body).data, []);
  const unknown = `/${id}/deliveries/whd_${'0'.repeat(26)}/redeliver`;
  assertProblem(await webhooks.call('POST', unknown), 'not_found');
  await webhooks.remove(id);
});

test('a webhook is created, changed and given another secret only after a recent sign-in', async () => {
  const { id } = await webhooks.create('/aged');
  const aged = await openSession(server, adasAccount);
  await runSql(
    server,
    'UPDATE session SET "createdAt" = ? WHERE token = ?',
    new Date(Date.now() - 3 * 60 * 60 * 1000).toISOString(),
    aged.storedToken,
  );
  const url = 'https://hooks.example.com';
  const calls: [string, string, object][] = [
    ['POST', '', { url }],
    ['PATCH', `/${id}`, { url }],
    ['POST', `/${id}/rotate-secret`, {}],
  ];
  for (const [method, path, body] of calls)
    assertProblem(await webhooks.call(method, path, body, aged), 'recent_login_required');
  assert.equal((await webhooks.find(id)).url, `${receiver.url}/aged`);
  assert.equal((await webhooks.call('POST', `/${id}/test`, undefined, aged)).status, 202);
  assert.equal((await webhooks.call('DELETE', `/${id}`, undefined, aged)).status, 204);
});

test('each command has one event, with only the origin of the URL', async () => {
  const { id } = await webhooks.create('/hooks/T0/token-in-the-path', { events: ['audit.pruned'] });
  await webhooks.change(id, { description: 'new', disabled: true, events: ['key.created'] });
  await webhooks.change(id, { url: `${receiver.url}/hooks/T1/other-token` });
  await webhooks.change(id, { description: 'new' });
  await webhooks.call('POST', `/${id}/rotate-secret`, { graceSeconds: 60 });
  const sent = deliverySchema.parse((await webhooks.call('POST', `/${id}/test`)).body);
  await webhooks.call('POST', `/${id}/deliveries/${sent.id}/redeliver`);
  await webhooks.remove(id);
  const events = await webhooks.events(id);
  assert.deepEqual(
    events.map(({ action, changes, details }) => [action, changes, details]),
    [
      ['webhook.created', null, { events: 'audit.pruned' }],
      [
        'webhook.updated',
        {
          description: { from: '', to: 'new' },
          events: { from: 'audit.pruned', to: 'key.created' },
          disabled: { from: false, to: true },
        },
        { urlChanged: false },
      ],
      ['webhook.updated', null, { urlChanged: true }],
      ['webhook.secret_rotated', null, { graceSeconds: 60 }],
      ['webhook.test_sent', null, { deliveryId: sent.id }],
      ['webhook.redelivered', null, { deliveryId: sent.id }],
      ['webhook.deleted', null, null],
    ],
  );
  for (const { target } of events) assert.deepEqual(target, { kind: 'webhook', id, name: receiver.url });
  assert.ok(!JSON.stringify(events).includes('token'));
});
