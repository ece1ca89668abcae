/** Mails and webhooks contain no key, no hash of one, and no token of the run that causes them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createdKeySchema } from '@soku/contract/keys';
import { findKeyIn, needlesOf } from '../endurance/key-search.ts';
import { Contract } from '../support/contract.ts';
import { times } from '../support/long.ts';
import { outboxMails } from '../support/outbox.ts';
import { owner, startServer, testSecret } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { WebhookCalls } from '../support/webhook-calls.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

test('mails and webhooks contain no secret of the run', {
  skip: times(0, 1) === 1 ? false : 'waits for mails: SOKU_TEST_LONG=yes',
}, async () => {
  const server = await startServer({ env: { SOKU_WEBHOOK_ALLOW: '127.0.0.1' } });
  after(() => server.stop());
  const ada = await openSession(server);
  const receiver = await WebhookReceiver.start();
  after(() => receiver.close());
  const hooks = new WebhookCalls(await Contract.of(server), ada, receiver);
  const hook = await hooks.create('/all');

  const kept = await ada.createKey({ name: 'kept', scopes: ['keys:write', 'keys:read'] });
  const lost = await ada.createKey({ name: 'lost' });
  const rotate = async (id: string) => {
    const { body } = await ada.call('POST', `/v1/api-keys/${id}/rotate`, { graceSeconds: 0 });
    return createdKeySchema.parse(body).apiKey;
  };
  const newest = await rotate(kept.key.id);
  // The retired secret and the revoked key are in use.
  await ada.call('POST', `/v1/api-keys/${lost.key.id}/revoke`, { reason: 'leaked' });
  const authorization = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
  for (const key of [kept.apiKey, lost.apiKey, newest])
    await (await fetch(`${server.url}/v1/verify`, authorization(key))).text();
  const rotated = await ada.call('POST', `/v1/webhooks/${hook.id}/rotate-secret`, {});
  const signing = String(Object(rotated.body).secret);
  assert.match(signing, /^whsec_/);
  await ada.call('PATCH', `/v1/api-keys/${kept.key.id}`, { name: 'renamed' });

  const subjects = [/rotated/i, /revoked/i, /in use/i];
  for (const subject of subjects)
    await outboxMails(server, (mail) => subject.test(mail.headers.get('subject') ?? ''));
  await receiver.whenReceived('/all', 6);
  const outbox = join(server.dataDir, 'outbox');
  const mails = readdirSync(outbox).map((file) => readFileSync(join(outbox, file)));
  // Quoted-printable breaks lines, and would hide a text.
  const texts = mails.map((mail) => Buffer.from(mail.toString('latin1').replaceAll(/=\r?\n/g, '')));
  const bodies = receiver.received.map(({ headers: { 'webhook-signature': _, ...headers }, body }) =>
    Buffer.from(JSON.stringify(headers) + body),
  );
  assert.ok(mails.length >= 4 && bodies.length >= 6, `${mails.length} mails, ${bodies.length} requests`);
  const keys = [kept.apiKey, lost.apiKey, newest];
  const cookie = ada.cookie.split('=')[1]?.split(';')[0] ?? '';
  assert.ok(cookie.length > 20);
  const others = [
    hook.secret,
    signing,
    cookie,
    decodeURIComponent(cookie).split('.')[0] ?? '',
    owner.password,
    testSecret,
  ];
  const digest = (text: string, encoding: 'hex' | 'base64' | 'base64url') =>
    createHash('sha256').update(text).digest(encoding);
  const hashes = keys.flatMap((key) => [
    digest(key, 'hex'),
    digest(key, 'base64').slice(0, -1),
    digest(key, 'base64url'),
  ]);
  assert.ok(findKeyIn(Buffer.from(`${newest}`), needlesOf(newest)).includes('plain'), 'the search works');
  for (const text of [...texts, ...bodies]) {
    for (const key of keys) assert.deepEqual(findKeyIn(text, needlesOf(key)), []);
    for (const secret of [...others, ...hashes]) assert.ok(!text.includes(secret), `a secret is in ${text}`);
  }
});
