import type { SendMailOptions } from 'nodemailer';
import type { Sender } from './sender.ts';

/** An email as it is sent. */
export interface Message {
  id: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  /** Epoch ms. */
  date: number;
  unsubscribeUrl: string | undefined;
}

/**
 * The message for the mail library, which encodes the headers. Its Message-ID is the same in each attempt, so that the
 * recipient can recognize a repeated one.
 */
export function toMailOptions(message: Message, from: Sender, publicUrl: string) {
  const { id, to, subject, text, html, date, unsubscribeUrl } = message;
  return {
    from,
    to: { name: '', address: to },
    subject,
    text,
    html,
    date: new Date(date),
    messageId: `<${id}@${new URL(publicUrl).hostname.replace(/[[\]]/g, '')}>`,
    headers: {
      // RFC 3834: programs must not reply.
      'Auto-Submitted': 'auto-generated',
      ...(unsubscribeUrl !== undefined && {
        'List-Unsubscribe': `<${unsubscribeUrl}>`,
        // RFC 8058.
        'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      }),
    },
    disableFileAccess: true,
    disableUrlAccess: true,
  } satisfies SendMailOptions;
}

/**
 * The outcome of an attempt. `code` has no text of the server, which may contain addresses. `err`: what this program has
 * thrown, for the log.
 */
export type SendResult = { sent: true } | { sent: false; permanent: boolean; code: string; err?: unknown };

/** Sends messages. */
export interface Transport {
  /** @param signal aborts the attempt */
  send(message: Message, signal: AbortSignal): Promise<SendResult>;
}
