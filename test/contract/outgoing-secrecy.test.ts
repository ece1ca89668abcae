/** Mails and webhooks contain no key, no hash of one, and no token of the run that causes them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import { createdKeySchema } from '@soku/contract/keys';
import { findKeyIn, needlesOf } from '../endurance/key-search.ts';
import { Contract } from '../support/contract.ts';
import { newSigner, startKeyList } from '../support/github.ts';
import { inDatabase } from '../support/in-database.ts';
import { day } from '../support/key-calls.ts';
import { times } from '../support/long.ts';
import { outboxMails } from '../support/outbox.ts';
import type { ParsedMail } from '../support/parse-mail.ts';
import { owner, startServer, type TestServer, testSecret } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { WebhookCalls } from '../support/webhook-calls.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

/** Makes a key idle so that it is warned about, another so that it is disabled, and a third so that it expires soon. */
async function age(
  server: TestServer,
  [warned, disabled, expiring]: [string, string, string],
): Promise<void> {
  const ago = (days: number) => Date.now() - days * day;
  const change = (statement: string, ...values: (string | number)[]) =>
    inDatabase(server, `${statement} RETURNING 1`, ...values);
  await change('UPDATE usage_history SET complete_since = ?, watched_since = ?', ago(60), ago(60));
  await change(
    'UPDATE api_key SET created_at = ? WHERE id IN (?, ?, ?)',
    ago(40),
    warned,
    disabled,
    expiring,
  );
  await change('UPDATE api_key SET expires_at = ? WHERE id = ?', ago(-0.5), expiring);
  await change(
    'INSERT INTO idle_warning (key_id, idle_since, days, first_at, last_at) SELECT id, created_at, 30, ?, ? FROM api_key WHERE id = ?',
    ago(14),
    ago(3),
    disabled,
  );
}

/** A mail as it was sent and as a reader sees it. Lines that quoted-printable breaks would hide a text. */
const seenOf = ({ raw, subject, text, html }: ParsedMail) =>
  Buffer.from([raw, raw.replaceAll(/=\r?\n/g, ''), subject, text, html].join('\n'));

test('mails and webhooks contain no secret of the run', {
  skip: times(0, 1) === 1 ? false : 'waits for mails: SOKU_TEST_LONG=yes',
}, async () => {
  const github = newSigner();
  const list = await startKeyList([github]);
  after(list.stop);
  const env = { SOKU_WEBHOOK_ALLOW: '127.0.0.1', SOKU_GITHUB_KEYS_URL: list.url };
  const server = await startServer({ env });
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

  const report = JSON.stringify([
    {
      token: newest,
      type: 'x',
      url: `https://example.com/${newest}?key=${newest}#${newest}`,
      source: 'content',
    },
    { token: lost.apiKey, type: 'x', url: 'https://example.com/', source: 'content' },
  ]);
  const reported = await fetch(`${server.url}/v1/leaks/github`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...Object.fromEntries(github.sign(report)) },
    body: report,
  });
  assert.equal(reported.status, 200, await reported.text());

  const [warned, disabled, expiring] = [
    await ada.createKey({ name: 'warned' }),
    await ada.createKey({ name: 'disabled' }),
    await ada.createKey({ name: 'expiring' }),
  ];
  await ada.call('PATCH', '/v1/workspace', { maxKeyIdleDays: 30 });
  // Policies and reminders are looked at some seconds after a start.
  await server.kill('SIGTERM');
  await age(server, [warned.key.id, disabled.key.id, expiring.key.id]);
  const again = await startServer({ env, dataDir: server.dataDir });
  after(() => again.kill());
  const signedIn = await again.signIn();

  const subjects = [/created/, /rotated/, /revoked/, /in use/, /leaked/, /will be disabled/, /key disabled/];
  for (const subject of [...subjects, /expires soon/, /New sign-in/])
    await outboxMails(server, (mail) => subject.test(mail.subject));
  await receiver.whenReceived('/all', 9);
  const mails = await outboxMails(server, () => true);
  const texts = mails.map(seenOf);
  const bodies = receiver.received.map(({ headers: { 'webhook-signature': _, ...headers }, body }) =>
    Buffer.from(JSON.stringify(headers) + body),
  );
  const keys = [kept, lost, warned, disabled, expiring].map(({ apiKey }) => apiKey).concat(newest);
  const cookies = [ada, signedIn].flatMap(({ cookie }) =>
    cookie.split('; ').map((one) => one.slice(one.indexOf('=') + 1)),
  );
  assert.ok(
    cookies.length >= 2 && cookies.every((cookie) => cookie.length > 20),
    `${cookies.length} cookies`,
  );
  const tokens = cookies.map((cookie) => decodeURIComponent(cookie).split('.')[0] ?? '');
  const others = [hook.secret, signing, ...cookies, ...tokens, owner.password, testSecret];
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
