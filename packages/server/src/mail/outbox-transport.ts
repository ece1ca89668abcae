import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { createFile } from '../durable-files.ts';
import { type Message, type SendResult, type Transport, toMailOptions } from './message.ts';
import type { Sender } from './sender.ts';

interface Options {
  /** The directory `outbox` in the data directory. */
  directory: string;
  from: Sender;
  publicUrl: string;
  log: Logger;
}

/** Writes each mail to a file, for deployments without an SMTP server. Only the owner of the data directory can read it. */
export class OutboxTransport implements Transport {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  async send(message: Message): Promise<SendResult> {
    const { directory, from, publicUrl, log } = this.#options;
    const { default: MailComposer } = await import('nodemailer/lib/mail-composer');
    const content = await new MailComposer(toMailOptions(message, from, publicUrl)).compile().build();
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    // The file of an attempt whose record a crash prevented stays as it is.
    createFile(this.#fileOf(message.id), content.toString());
    log.info({ mailId: message.id, file: this.#fileOf(message.id) }, 'mail written to the outbox');
    return { sent: true };
  }

  remove(ids: readonly string[]): void {
    for (const id of ids) rmSync(this.#fileOf(id), { force: true });
  }

  #fileOf(id: string): string {
    return join(this.#options.directory, `${id}.eml`);
  }
}
