/** Email notifications: what a server writes to its outbox, who gets it, and how they turn it off. */
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { auditPageSchema } from '@soku/contract/audit';
import { type Notifications, notificationSettingsSchema } from '@soku/contract/notifications';
import { outboxMails } from '../support/outbox.ts';
import { call, type Person } from '../support/person.ts';
import { addAccount, openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';
import { ada } from '../support/two-accounts.ts';

const server = await sharedServer();

/** A person with a workspace of their own. */
async function newPerson() {
  const account = await addAccount(server);
  return { email: account.email, person: await openSession(server, account) };
}

const read = async (person: Person) =>
  notificationSettingsSchema.parse((await person.call('GET', '/api/notifications')).body);
const changesOf = async (person: Person) =>
  auditPageSchema.parse((await person.call('GET', '/v1/audit?action=account.notifications_updated')).body);
const write = (person: Person, body: unknown) => person.call('PUT', '/api/notifications', body);

test('a created key causes an email to the members of its workspace, and to no one else', async () => {
  const { email, person } = await newPerson();
  const { apiKey, key } = await person.createKey({ name: 'Billing' });
  const [mail] = await outboxMails(server, ({ text }) => text.includes(key.id));
  assert.ok(mail);
  assert.equal(mail.headers.get('to'), email);
  assert.equal(mail.subject, 'Key created: Billing');
  assert.ok(mail.text.includes(`${server.url}/settings/api/${key.id}`), mail.text);
  assert.ok(!mail.raw.includes(apiKey.slice(12, -4)));
  const outbox = join(server.dataDir, 'outbox');
  const modes = readdirSync(outbox).map((file) => statSync(join(outbox, file)).mode & 0o777);
  assert.deepEqual([...new Set(modes)], [0o600]);
  await server.printed('email written to the outbox');
  await server.printed('SMTP_URL is not set: emails are written to files and not sent');
  assert.ok(!server.output.includes('Key created'));
});

test('preferences belong to the account, and each change is recorded', async () => {
  const { person } = await newPerson();
  const before = await read(person);
  assert.deepEqual(before, {
    mails: {
      keyCreated: true,
      keyRotated: true,
      keyRevoked: true,
      keyExpiring: true,
      keyIdle: true,
      rotationDue: true,
      webhookDisabled: true,
    },
    timeZone: null,
    delivery: 'outbox',
  });
  const after: Notifications = { mails: { ...before.mails, keyRotated: false }, timeZone: 'Europe/Berlin' };
  const written = await write(person, after);
  assert.equal(written.status, 200, written.text);
  assert.deepEqual(await read(person), { ...after, delivery: 'outbox' });
  const { data } = await changesOf(person);
  assert.deepEqual(
    data.map(({ changes }) => changes),
    [{ keyRotated: { from: true, to: false }, timeZone: { from: null, to: 'Europe/Berlin' } }],
  );
  assert.deepEqual((await read((await newPerson()).person)).mails, before.mails);
});

test('invalid preferences, and those without a session, are rejected', async () => {
  const { person } = await newPerson();
  const { mails } = await read(person);
  const { keyCreated, ...incomplete } = mails;
  assert.equal(keyCreated, true);
  for (const body of [
    { mails, timeZone: 'Mars/Base' },
    { mails, timeZone: 'UTC\r\nBcc: eve@example.com' },
    { mails: incomplete, timeZone: null },
    { mails: { ...mails, newSignIn: false }, timeZone: null },
    { mails: { ...mails, keyCreated: 'no' }, timeZone: null },
    {},
  ])
    assert.equal((await write(person, body)).status, 400, JSON.stringify(body));
  const url = `${server.url}/api/notifications`;
  for (const headers of [{}, { authorization: 'Bearer sk_live_x' }]) {
    assert.equal((await call(url, { headers })).status, 401);
    assert.equal((await call(url, { method: 'PUT', headers, body: { mails, timeZone: null } })).status, 401);
  }
  const foreign = { cookie: person.cookie, origin: 'https://evil.example.com' };
  assert.equal(
    (await call(url, { method: 'PUT', headers: foreign, body: { mails, timeZone: null } })).status,
    403,
  );
});

test('the link of an email turns its kind off with one POST, without a session', async () => {
  const { person } = await newPerson();
  const { key } = await person.createKey({ name: `Key ${crypto.randomUUID()}` });
  const [mail] = await outboxMails(server, ({ text }) => text.includes(key.id));
  const link = mail?.headers.get('list-unsubscribe')?.slice(1, -1) ?? '';
  assert.ok(link.startsWith(`${server.url}/unsubscribe/`), link);
  const page = await call(link);
  assert.equal(page.status, 200);
  assert.match(page.text, /emails about created keys.*<form method="post">/s);
  assert.match(page.headers.get('content-security-policy') ?? '', /^default-src 'none'; style-src 'sha256-/);
  assert.equal(page.headers.get('referrer-policy'), 'same-origin');
  assert.equal((await read(person)).mails.keyCreated, true, 'a GET changes nothing');
  const post = (url: string) =>
    call(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'List-Unsubscribe=One-Click',
    });
  for (const wrong of [
    link.slice(0, -1),
    `${link}x`,
    link.replace('unsubscribe/', 'unsubscribe/x'),
    `${server.url}/unsubscribe/.`,
  ])
    assert.equal((await post(wrong)).status, 404, wrong);
  assert.equal((await read(person)).mails.keyCreated, true);
  for (const repetition of [1, 2]) assert.equal((await post(link)).status, 200, `${repetition}`);
  const { mails } = await read(person);
  assert.deepEqual([mails.keyCreated, mails.keyRevoked], [false, true]);
  const { key: silent } = await person.createKey({ name: `Key ${crypto.randomUUID()}` });
  await person.revoke(silent.id);
  // The email about the revocation comes later than one about the creation would have.
  const about = await outboxMails(server, ({ text }) => text.includes(silent.id));
  assert.deepEqual(
    about.map(({ subject }) => subject),
    [`Key revoked: ${silent.name}`],
  );
  // The log of the creation is later than those of both calls, of which the second one changed nothing.
  await server.printed(silent.id);
  const { data } = await changesOf(person);
  assert.deepEqual(
    data.map(({ changes }) => changes),
    [{ keyCreated: { from: true, to: false } }],
  );
  const logged = server.output.split('\n').filter((line) => line.includes('notifications changed'));
  assert.equal(logged.filter((line) => line.includes(data[0]?.actor.id ?? '?')).length, 1);
});

test('a sign-in in a new browser causes an email, and another one in the same browser causes none', async () => {
  const signIn = (headers: Record<string, string>) =>
    call(`${server.url}/api/auth/sign-in/email`, { method: 'POST', body: ada, headers });
  const agent = (name: string) => ({ 'user-agent': `${name} https://evil.example.com/` });
  const first = await signIn(agent('Browser one'));
  const device = first.headers
    .getSetCookie()
    .find((cookie) => cookie.includes('_device='))
    ?.split(';')[0];
  assert.ok(device);
  assert.equal((await signIn({ ...agent('Browser one again'), cookie: device })).status, 200);
  assert.equal((await signIn(agent('Browser two'))).status, 200);
  const mails = await outboxMails(server, ({ text }) => text.includes('Client: Browser'), 2);
  assert.deepEqual(mails.map(({ text }) => /^Client: (.*)$/m.exec(text)?.[1]).sort(), [
    'Browser one [link]',
    'Browser two [link]',
  ]);
  for (const { headers, subject } of mails) {
    assert.deepEqual([headers.get('to'), subject], [ada.email, 'New sign-in to your account']);
    assert.equal(headers.get('list-unsubscribe'), undefined);
  }
});

test('metrics count the emails', async () => {
  const { text } = await call(`${server.url}/metrics`);
  assert.match(text, /^soku_mails_total\{result="sent"\} [1-9]/m);
  assert.match(text, /^soku_mails_total\{result="refused"\} 0$/m);
});
