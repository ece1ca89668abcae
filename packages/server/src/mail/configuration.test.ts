import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../config.ts';

function assertRefused(environment: Record<string, string>, message: RegExp): void {
  assert.throws(() => readConfig(environment), { message });
}

test('emails have a sender, and a remote SMTP server uses TLS', () => {
  const from = 'Soku <Soku@example.com>';
  const server = (url: string) => readConfig({ SMTP_URL: url, MAIL_FROM: from }).mail.smtp;
  assert.deepEqual(server('smtps://a%40b:p%2Fw@smtp.example.com'), {
    host: 'smtp.example.com',
    port: 465,
    secure: true,
    requireTls: false,
    auth: { user: 'a@b', pass: 'p/w' },
  });
  const tls = (url: string) => [server(url)?.port, server(url)?.requireTls];
  assert.deepEqual(tls('smtp://smtp.example.com'), [587, true]);
  assert.deepEqual(tls('smtp://mailpit:1025?tls=off'), [1025, false]);
  assert.deepEqual(tls('smtp://[::1]:25'), [25, false]);
  assert.equal(server('smtp://[::1]:25')?.host, '::1');
  const { mail } = readConfig({ MAIL_FROM: from });
  assert.deepEqual(mail, { smtp: undefined, from: { name: 'Soku', address: 'soku@example.com' } });
  assertRefused({ SMTP_URL: 'smtp://localhost' }, /^MAIL_FROM is required with SMTP_URL/);
  for (const url of [
    'localhost:25',
    'smtp://',
    'smtp://h/path',
    'smtp://ada@h',
    'smtp://h?x=1',
    'smtp://%zz:a@h',
  ])
    assertRefused({ SMTP_URL: url, MAIL_FROM: from }, /^SMTP_URL must be an smtp:/);
  for (const text of ['ada', 'a@example.com, b@example.com', 'a\nb <a@example.com>', '<a@example.com> x'])
    assertRefused({ MAIL_FROM: text }, /^MAIL_FROM must be an email address/);
});
