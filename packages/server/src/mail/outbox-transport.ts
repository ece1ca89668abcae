import { mkdirSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { createFile } from '../durable-files.ts';
import { errorCodeOf } from '../error-code.ts';
import { type Message, type SendResult, type Transport, toMailOptions } from './message.ts';
import type { Sender } from './sender.ts';

interface Options {
  /** The directory `outbox` in the data directory. */
  directory: string;
  from: Sender;
  publicUrl: string;
  log: Logger;
}

/** Writes each email to a file, for deployments without an SMTP server. Only the owner of the data directory can read it. */
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
    // If a crash prevented the record of an earlier attempt, its file exists and stays unchanged.
    const file = join(directory, `${message.id}.eml`);
    createFile(file, content.toString());
    log.info({ mailId: message.id, file }, 'email written to the outbox');
    return { sent: true };
  }
}

/**
 * Deletes the emails, and what a crash left of others, that were written before a time. Each node has a directory of its
 * own and does this whichever transport it uses now, because it may have had another one.
 *
 * @param before epoch ms
 */
export async function sweepOutbox(directory: string, before: number): Promise<void> {
  const files = await readdir(directory).catch((error: unknown) => {
    if (errorCodeOf(error) === 'ENOENT') return [];
    throw error;
  });
  for (const name of files.filter((file) => /^mail_\w+\.eml(?:\.\w+\.partial)?$/.test(file))) {
    const file = join(directory, name);
    if ((await stat(file)).mtimeMs < before) await rm(file, { force: true });
  }
}
