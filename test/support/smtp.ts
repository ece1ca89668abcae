import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { type ParsedMail, parseMail } from './parse-mail.ts';

/** An email that the server has accepted, or received completely. */
interface ReceivedMail extends ParsedMail {
  /** The recipient of the envelope. */
  to: string;
}

/** The reply to a command: undefined to accept it, or an SMTP status with which it is refused, such as '550 5.1.1'. */
type Reply = number | string | undefined;

/** A real SMTP server on a free port. Its replies can be chosen. */
export class SmtpSink {
  /** In the order of their acceptance. */
  readonly accepted: ReceivedMail[] = [];
  /** Called for each recipient. */
  onRecipient: (address: string) => Reply = () => undefined;
  /** Called with each complete email, before the reply. `drop` ends the connection instead of a reply. */
  onMail: (mail: ReceivedMail) => Reply | 'drop' | Promise<Reply | 'drop'> = () => undefined;
  readonly #server: SMTPServer;
  readonly #waiting = new Set<() => void>();

  constructor(options: SMTPServerOptions = {}) {
    this.#server = new SMTPServer({
      disabledCommands: ['STARTTLS'],
      authOptional: true,
      logger: false,
      ...options,
      onRcptTo: ({ address }, _session, callback) => callback(refusal(this.onRecipient(address))),
      onData: (stream, session, callback) => {
        void this.#receive(stream, session.envelope.rcptTo[0]?.address ?? '').then((reply) => {
          if (reply !== 'drop') callback(refusal(reply));
        });
      },
    });
    // Clients that are killed in the middle of an email.
    this.#server.on('error', () => undefined);
  }

  static async start(options?: SMTPServerOptions): Promise<SmtpSink> {
    const sink = new SmtpSink(options);
    sink.#server.listen(0, '127.0.0.1');
    await once(sink.#server.server, 'listening');
    return sink;
  }

  get port(): number {
    const address = this.#server.server.address();
    if (address === null || typeof address === 'string') throw new Error('the SMTP server has no port');
    return address.port;
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  /** Resolves when as many emails were accepted. */
  async received(count: number): Promise<ReceivedMail[]> {
    while (this.accepted.length < count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.add(resolve);
      await promise;
      this.#waiting.delete(resolve);
    }
    return this.accepted;
  }

  async stop(): Promise<void> {
    this.#drop();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #receive(stream: Readable, to: string): Promise<Reply | 'drop'> {
    const raw = await text(stream).catch(() => undefined);
    // The client ended in the middle of the email.
    if (raw === undefined) return 451;
    const mail = { to, ...parseMail(raw) };
    const reply = await this.onMail(mail);
    if (reply === 'drop') this.#drop();
    if (reply !== undefined) return reply;
    this.accepted.push(mail);
    for (const wake of this.#waiting) wake();
    return undefined;
  }

  #drop(): void {
    for (const connection of this.#server.connections) connection._socket.destroy();
  }
}

function refusal(reply: Reply): Error | null {
  if (reply === undefined) return null;
  const [status, ...enhanced] = String(reply).split(' ');
  const message = [...enhanced, 'refused by the test'].join(' ');
  return Object.assign(new Error(message), { responseCode: Number(status) });
}
