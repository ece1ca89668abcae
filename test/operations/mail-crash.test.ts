/** A crash while emails are sent. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { fillDataDir, newDataDir, startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { SmtpSink } from '../support/smtp.ts';

test('a crash between acceptance and record repeats an email with its Message-ID, and loses none', async (t) => {
  const smtp = await SmtpSink.start();
  t.after(() => smtp.stop());
  const dataDir = newDataDir();
  t.after(() => rmSync(dataDir, { recursive: true, force: true }));
  // On PostgreSQL, another process repeats the email after the lease (packages/server/src/mail/mail.test.ts).
  const database = 'sqlite';
  await fillDataDir(dataDir, { kind: database });
  const env = { SMTP_URL: smtp.url, MAIL_FROM: 'Soku <soku@example.com>' };
  const first = await startServer({ dataDir, database, env });
  const person = await openSession(first);
  const { promise: crashed, resolve } = Promise.withResolvers<void>();
  const idOf = (headers: Map<string, string>) => headers.get('message-id') ?? '';
  const unrecorded: string[] = [];
  smtp.onMail = async ({ headers }) => {
    unrecorded.push(idOf(headers));
    // The server ends before it receives the reply to the complete email, which is accepted.
    await first.kill('SIGKILL');
    resolve();
    return undefined;
  };
  const names = ['One', 'Two', 'Three'];
  await Promise.allSettled(names.map((name) => person.createKey({ name })));
  await crashed;
  smtp.onMail = () => undefined;
  const second = await startServer({ dataDir, database, env });
  t.after(() => second.stop());
  const again = await openSession(second);
  await again.createKey({ name: 'Last' });
  const keys = await again.call('GET', '/v1/api-keys?limit=100');
  const stored = Object(keys.body)
    .data.map(({ name }: { name: string }) => `Key created: ${name}`)
    .sort();
  const mails = await smtp.received(unrecorded.length + stored.length);
  const ids = mails.map(({ headers }) => idOf(headers));
  assert.equal(new Set(ids).size, stored.length);
  assert.deepEqual([...new Set(mails.map(({ subject }) => subject))].sort(), stored);
  for (const id of unrecorded) assert.equal(ids.filter((other) => other === id).length, 2);
});
