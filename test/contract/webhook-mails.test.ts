/** The email about a webhook that the server has disabled, as an SMTP server receives it. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Contract } from '../support/contract.ts';
import { runSql } from '../support/run-sql.ts';
import { startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { SmtpSink } from '../support/smtp.ts';
import { WebhookCalls } from '../support/webhook-calls.ts';
import { WebhookReceiver } from '../support/webhook-receiver.ts';

const fourDays = 4 * 86_400_000;

test('the email about a disabled webhook has its page, why it was disabled, and its last error', async () => {
  const smtp = await SmtpSink.start();
  after(() => smtp.stop());
  const receiver = await WebhookReceiver.start();
  after(() => receiver.close());
  receiver.respond = ({ path }, response) => {
    response.writeHead(path.startsWith('/gone') ? 410 : 503).end();
  };
  const server = await startServer({
    env: {
      SMTP_URL: smtp.url,
      MAIL_FROM: 'soku@example.com',
      SOKU_WEBHOOK_ALLOW: '127.0.0.1',
    },
  });
  after(() => server.stop());
  const ada = await openSession(server);
  const webhooks = new WebhookCalls(await Contract.of(server), ada, receiver);
  let seen = 0;
  /** The next email about a webhook. */
  const nextMail = async () => {
    for (;;) {
      seen += 1;
      const mail = (await smtp.received(seen))[seen - 1];
      if (mail?.subject.startsWith('Webhook disabled')) return mail;
    }
  };
  /** The email after a failed attempt to send an event to a path with a token of the receiver. */
  const mailAfterFailure = async (path: string, failingSince?: number) => {
    const { id } = await webhooks.create(path, { events: ['key.revoked'] });
    if (failingSince !== undefined)
      await runSql(server, 'UPDATE webhook SET failing_since = ? WHERE id = ?', failingSince, id);
    await webhooks.call('POST', `/${id}/test`);
    return { id, mail: await nextMail() };
  };

  const gone = await mailAfterFailure('/gone?token=secret');
  assert.equal(gone.mail.subject, `Webhook disabled: ${receiver.url}`);
  const link = (id: string) => `${server.url}/settings/webhooks/${id}`;
  const first = `- ${receiver.url}, whose receiver responded with 410 (Gone): this URL is permanently out of use.\n  ${link(gone.id)}\n`;
  assert.ok(gone.mail.text.includes(first), gone.mail.text);
  // Not on the URL of the receiver: mail programs warn about links that read like another address.
  const html = new RegExp(`<a href="${link(gone.id)}"[^>]*>Open webhook</a>`);
  assert.match(gone.mail.html, html);
  assert.doesNotMatch(gone.mail.raw, /failed since|token=/);

  const failing = await mailAfterFailure('/failing', Date.now() - fourDays);
  const { text } = failing.mail;
  assert.match(text, /all deliveries failed since .+\. Last error: The receiver responded with 503/);
  assert.ok(text.includes(link(failing.id)), text);
  assert.doesNotMatch(text, /Gone/);
  assert.match(text, /Its events wait, and are sent when someone enables it\./);
  const [event] = (await webhooks.events(failing.id)).filter(({ action }) => action === 'webhook.disabled');
  assert.equal(event?.details?.reason, 'failing');
});
