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

/** ms. `idle`: without a byte from the server; `total`: less than the lease of a mail. */
const timeouts = { connection: 15_000, greeting: 15_000, idle: 60_000, total: 5 * 60_000 };

/** The commands after which a permanent refusal concerns this mail, and not the account or its configuration. */
const commandsOfMail = ['RCPT TO', 'DATA'];

const smtpErrorSchema = z.object({
  code: z.string().catch('ERROR'),
  responseCode: z.int().optional().catch(undefined),
  command: z.string().optional().catch(undefined),
});

/** Sends mails to an SMTP server, each over its own connection. */
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

  /** Loaded with the first mail: most processes send none for a long time after their start. */
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
 * A refusal with 5xx of the recipient or of the content is permanent (RFC 5321 section 4.2.1). Everything else is tried
 * again, including a refused sign-in or sender, which an operator can correct.
 */
function failureOf(error: unknown): SendResult {
  const { code, responseCode, command } = smtpErrorSchema.parse(error);
  const permanent = (responseCode ?? 0) >= 500 && commandsOfMail.includes(command ?? '');
  return { sent: false, permanent, code: `${code} ${responseCode ?? ''}`.trim() };
}
