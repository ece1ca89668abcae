import type { Transporter } from 'nodemailer';
import { z } from 'zod';
import { type Message, type SendResult, type Transport, toMailOptions } from './message.ts';
import type { Sender } from './sender.ts';
import type { SmtpServer } from './smtp-url.ts';

interface Options {
  server: SmtpServer;
  from: Sender;
  publicUrl: string;
}

/** ms. `idle`: without a byte from the server; `total`: less than the lease of an email. */
const timeouts = { connection: 15_000, greeting: 15_000, idle: 60_000, total: 5 * 60_000 };

const smtpErrorSchema = z.object({
  code: z.string().catch('ERROR'),
  responseCode: z.int().optional().catch(undefined),
  command: z.string().optional().catch(undefined),
  response: z.string().catch(''),
});

/** Sends emails to an SMTP server, each over its own connection. */
export class SmtpTransport implements Transport {
  readonly #options: Options;
  #transporter: Promise<() => Transporter> | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  async send(message: Message, signal: AbortSignal): Promise<SendResult> {
    const { from, publicUrl } = this.#options;
    this.#transporter ??= this.#load();
    const transporter = (await this.#transporter)();
    const limited = AbortSignal.any([signal, AbortSignal.timeout(timeouts.total)]);
    return transporter
      .sendMail({ ...toMailOptions(message, from, publicUrl), signal: limited })
      .then((): SendResult => ({ sent: true }), failureOf);
  }

  /** Loaded with the first email: most processes send none for a long time after their start. */
  async #load(): Promise<() => Transporter> {
    const { createTransport } = await import('nodemailer');
    const { host, port, secure, requireTls, auth } = this.#options.server;
    return () =>
      createTransport({
        host,
        port,
        secure,
        requireTLS: requireTls,
        // Without this, the library would switch to TLS whenever the server offers it, and check its certificate.
        ignoreTLS: !requireTls,
        ...(auth !== undefined && { auth }),
        connectionTimeout: timeouts.connection,
        greetingTimeout: timeouts.greeting,
        socketTimeout: timeouts.idle,
      });
  }
}

/**
 * Rejections of the content and of the recipient can be permanent (RFC 5321 section 4.2.1). Everything else is retried,
 * because an operator can fix it: the credentials, the sender, or what the SMTP server allows this one to send.
 */
function failureOf(error: unknown): SendResult {
  const { code, responseCode, command, response } = smtpErrorSchema.parse(error);
  // An enhanced status code (RFC 3463), such as the 5.1.1 of "550 5.1.1 No such user".
  const enhanced = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})(?!\S)/.exec(response)?.[1];
  const isPermanent = command === 'RCPT TO' ? isUnknownRecipient(responseCode, enhanced) : command === 'DATA';
  const codes = [code, responseCode, enhanced].filter((one) => one !== undefined);
  return { sent: false, permanent: isPermanent && (responseCode ?? 0) >= 500, code: codes.join(' ') };
}

/**
 * Whether the address or its mailbox is the reason: 5.1.x and 5.2.x. Servers without enhanced status codes also use
 * 550, 551 and 553 for other reasons, but seldom.
 */
function isUnknownRecipient(status: number | undefined, enhanced: string | undefined): boolean {
  return enhanced === undefined ? [550, 551, 553].includes(status ?? 0) : /^5\.[12]\./.test(enhanced);
}
