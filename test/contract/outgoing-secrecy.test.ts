/** Emails and webhooks contain no key, no hash of one, and no token of the run that causes them. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { createdKeySchema } from '@soku/contract/keys';
import { findKeyIn, needlesOf } from '../endurance/key-search.ts';
import { Contract, eventually } from '../support/contract.ts';
import { newSigner, startKeyList } from '../support/github.ts';
import { daysAgo, warnTwice } from '../support/idle-warnings.ts';
import { outboxMails } from '../support/outbox.ts';
import type { ParsedMail } from '../support/parse-mail.ts';
import { cookiesOf, Person } from '../support/person.ts';
import { runCount } from '../support/run-count.ts';
import { runSql } from '../support/run-sql.ts';
import { owner, startServer, type TestServer } from '../support/server.ts';
import { openSession, secretOf } from '../support/session.ts';
import { WebhookCalls } from '../support/webhook-calls.ts';
import { type ReceivedRequest, WebhookReceiver } from '../support/webhook-receiver.ts';

/** A run of a server, with what it must not send to anyone. */
interface Run {
  server: TestServer;
  ada: Person;
  receiver: WebhookReceiver;
  /** Whole keys. */
  keys: string[];
  /** Other texts. */
  secrets: string[];
}

/** The texts in the cookies of a session. */
function partsOf({ cookie }: Person): string[] {
  const values = cookie.split('; ').map((one) => one.slice(one.indexOf('=') + 1));
  assert.ok(
    values.every((value) => value.length > 20),
    cookie,
  );
  return values.flatMap((value) => [value, decodeURIComponent(value).split('.')[0] ?? '']);
}

function digestsOf(text: string): string[] {
  const digest = (encoding: 'hex' | 'base64' | 'base64url') =>
    createHash('sha256').update(text).digest(encoding);
  return [digest('hex'), digest('base64').slice(0, -1), digest('base64url')];
}

/** Signs in, changes the password, and adds a webhook that gets all events and one that is gone. */
async function begin(server: TestServer, receiver: WebhookReceiver): Promise<Run> {
  const first = await server.signIn();
  const newPassword = 'another good one';
  const changed = await first.call('POST', '/api/auth/change-password', {
    currentPassword: owner.password,
    newPassword,
  });
  assert.equal(changed.status, 200, changed.text);
  const ada = await openSession(server);
  receiver.respond = ({ path }, response) => {
    response.writeHead(path.startsWith('/gone') ? 410 : 204).end();
  };
  const hooks = new WebhookCalls(await Contract.of(server), ada, receiver);
  const hook = await hooks.create('/all');
  const gone = await hooks.create('/gone?token=of-the-receiver', { events: ['key.created'] });
  const rotated = await ada.call('POST', `/v1/webhooks/${hook.id}/rotate-secret`, {});
  const signing = String(Object(rotated.body).secret);
  assert.match(signing, /^whsec_/);
  const secrets = [hook.secret, gone.secret, signing, 'of-the-receiver', newPassword, owner.password];
  const continued = new Person(server.url, cookiesOf(changed.headers));
  secrets.push(secretOf(server), ...[first, continued, ada].flatMap(partsOf));
  return { server, ada, receiver, keys: [], secrets };
}

/** Creates, imports, rotates and revokes keys, uses what has ended, and reports what leaked. */
async function handleKeys(
  { server, ada, keys, secrets }: Run,
  github: ReturnType<typeof newSigner>,
): Promise<void> {
  const imported = randomBytes(32);
  secrets.push(imported.toString('hex'), imported.toString('base64url'));
  const input = { keys: [{ name: 'imported', hash: imported.toString('hex') }] };
  assert.equal((await ada.call('POST', '/v1/api-keys/import', input)).status, 200);
  const kept = await ada.createKey({ name: 'kept', scopes: ['keys:write', 'keys:read'] });
  const lost = await ada.createKey({ name: 'lost' });
  const { body } = await ada.call('POST', `/v1/api-keys/${kept.key.id}/rotate`, { graceSeconds: 0 });
  const newest = createdKeySchema.parse(body).apiKey;
  keys.push(kept.apiKey, lost.apiKey, newest);
  // The retired secret and the revoked key are in use.
  await ada.call('POST', `/v1/api-keys/${lost.key.id}/revoke`, { reason: 'leaked' });
  for (const key of keys)
    await (await fetch(`${server.url}/v1/verify`, { headers: { authorization: `Bearer ${key}` } })).text();
  await ada.call('PATCH', `/v1/api-keys/${kept.key.id}`, { name: 'renamed' });
  const url = `https://example.com/${newest}?key=${newest}#${newest}`;
  const report = JSON.stringify([
    { token: newest, type: 'x', url, source: 'content' },
    { token: lost.apiKey, type: 'x', url: 'https://example.com/', source: 'content' },
  ]);
  const reported = await fetch(`${server.url}/v1/leaks/github`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...Object.fromEntries(github.sign(report)) },
    body: report,
  });
  assert.equal(reported.status, 200, await reported.text());
}

/** Creates keys that policies concern: one is warned about, one disabled, one expires soon, and one has an old secret. */
async function handlePolicies({ server, ada, keys }: Run, restart: () => Promise<void>): Promise<void> {
  const ids: string[] = [];
  for (const name of ['warned', 'disabled', 'expiring', 'old']) {
    const { key, apiKey } = await ada.createKey({ name });
    ids.push(key.id);
    keys.push(apiKey);
  }
  await ada.call('PATCH', '/v1/workspace', { maxKeyIdleDays: 30, maxSecretAgeDays: 90 });
  // Policies and reminders are looked at some seconds after a start.
  await server.kill('SIGTERM');
  const change = (statement: string, ...values: (string | number)[]) =>
    runSql(server, `${statement} RETURNING 1`, ...values);
  await change('UPDATE usage_history SET complete_since = ?, watched_since = ?', daysAgo(60), daysAgo(60));
  const [, disabled = '', expiring = '', old = ''] = ids;
  for (const id of ids.slice(0, 3))
    await change('UPDATE api_key SET created_at = ? WHERE id = ?', daysAgo(40), id);
  await change('UPDATE api_key SET expires_at = ? WHERE id = ?', daysAgo(-0.5), expiring);
  await change('UPDATE api_key_secret SET created_at = ? WHERE key_id = ?', daysAgo(91), old);
  await warnTwice(change, disabled);
  await restart();
}

/** An email as it was sent and as a reader sees it. Lines that quoted-printable breaks would hide a text. */
const seenOf = ({ raw, subject, text, html }: ParsedMail) =>
  Buffer.from([raw, raw.replaceAll(/=\r?\n/g, ''), subject, text, html].join('\n'));

/** What policies cause comes some seconds after a start, and uses of what has ended when a server stops. */
const isLong = runCount(0, 1) === 1;

const subjects = [
  ...[/New sign-in/, /password was changed/, /Webhook disabled/, /key imported/],
  ...[/created/, /rotated/, /revoked$|revoked:/, /leaked/],
  ...(isLong ? [/in use/, /will be disabled/, /key disabled/, /due for rotation/, /expires soon/] : []),
];

/** The events that the webhook must have got, some of them by their policy. */
const types = [
  ...['key.imported', 'key.created', 'key.rotated', 'key.revoked', 'key.updated'],
  ...['key.leak_reported', 'webhook.disabled'],
  ...(isLong
    ? [
        'key.ended_secret_used',
        'key.policy_warned maxKeyIdleDays',
        'key.policy_warned maxSecretAgeDays',
        'key.updated maxKeyIdleDays',
      ]
    : []),
];

const typeOf = ({ payload: { type, data } }: ReceivedRequest) =>
  [type, Object(data.details).policy].filter((part) => part !== undefined).join(' ');

test('emails and webhooks contain no secret of the run', async () => {
  const github = newSigner();
  const list = await startKeyList([github]);
  after(list.stop);
  const receiver = await WebhookReceiver.start();
  after(() => receiver.close());
  const env = { SOKU_WEBHOOK_ALLOW: '127.0.0.1', SOKU_GITHUB_KEYS_URL: list.url };
  const server = await startServer({ env });
  after(() => server.stop());
  const run = await begin(server, receiver);
  await handleKeys(run, github);
  if (isLong)
    await handlePolicies(run, async () => {
      const again = await startServer({ env, dataDir: server.dataDir });
      after(() => again.kill());
    });

  for (const subject of subjects) await outboxMails(server, (mail) => subject.test(mail.subject));
  await eventually(
    async () => new Set(receiver.received.map(typeOf)),
    (received) => types.every((type) => received.has(type)),
  );
  const mails = await outboxMails(server, () => true);
  const bodies = receiver.received.map(({ headers: { 'webhook-signature': _, ...headers }, body }) =>
    Buffer.from(JSON.stringify(headers) + body),
  );
  const [key = ''] = run.keys;
  assert.ok(findKeyIn(Buffer.from(key), needlesOf(key)).includes('plain'), 'the search works');
  const secrets = [...run.secrets, ...run.keys.flatMap(digestsOf)];
  const needles = run.keys.flatMap(needlesOf);
  for (const text of [...mails.map(seenOf), ...bodies]) {
    assert.deepEqual(findKeyIn(text, needles), []);
    for (const secret of secrets) assert.ok(!text.includes(secret), `a secret is in ${text}`);
  }
});
