/** Attempts to send an email to a real SMTP server that refuses it or its own certificate. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SMTPServerOptions } from 'smtp-server';
import { SmtpSink } from '../../../../test/support/smtp.ts';
import type { SendResult } from './message.ts';
import { SmtpTransport } from './smtp-transport.ts';

type Cleanup = { after: (stop: () => Promise<void>) => void };

/** A server, and an attempt to send an email to it. */
async function start(
  t: Cleanup,
  { requireTls = false, options }: { requireTls?: boolean; options?: SMTPServerOptions } = {},
) {
  const smtp = await SmtpSink.start(options);
  t.after(() => smtp.stop());
  const transport = new SmtpTransport({
    server: { host: '127.0.0.1', port: smtp.port, secure: false, requireTls, auth: undefined },
    from: { name: '', address: 'soku@example.com' },
    publicUrl: 'https://keys.example.com',
  });
  const message = { id: 'mail_1', to: 'ada@example.com', subject: 'One', text: 'text', html: '<p>' };
  const send = (): Promise<SendResult> =>
    transport.send({ ...message, date: 0, unsubscribeUrl: undefined }, new AbortController().signal);
  return { smtp, send };
}

for (const requireTls of [false, true]) {
  const meaning = requireTls ? 'ends a connection with TLS' : 'does not matter without TLS';
  test(`an invalid certificate for STARTTLS ${meaning}`, async (t) => {
    // With this option the server offers STARTTLS, with a certificate that it has signed itself.
    const { smtp, send } = await start(t, { requireTls, options: { disabledCommands: [] } });
    const { sent } = await send();
    const subjects = smtp.accepted.map(({ subject }) => subject);
    assert.deepEqual([sent, subjects], requireTls ? [false, []] : [true, ['One']]);
  });
}

test('only a rejection of the recipient itself is permanent', async (t) => {
  const { smtp, send } = await start(t);
  for (const [reply, permanent] of [
    ['550', true],
    ['551', true],
    ['553', true],
    ['550 5.1.1', true],
    ['554 5.1.10', true],
    ['552 5.2.2', true],
    // Refused because of the sender, its address or its configuration, which an operator can correct.
    ['550 5.7.1', false],
    ['554 5.7.25', false],
    ['550 5.4.1', false],
    ['503', false],
    ['530', false],
    ['552', false],
    ['554', false],
    ['450', false],
    ['450 4.2.0', false],
  ] as const) {
    smtp.onRecipient = () => reply;
    assert.deepEqual(await send(), { sent: false, permanent, code: `EENVELOPE ${reply}` });
  }
});
