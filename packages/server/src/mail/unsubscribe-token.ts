import { createHmac } from 'node:crypto';
import { type OptionalMail, optionalMailSchema } from '@soku/contract/notifications';
import { constantTimeEqual } from '../constant-time-equal.ts';

interface Subscription {
  userId: string;
  kind: OptionalMail;
}

/**
 * The token of an unsubscribe link. It works without a session and does not expire, because emails are kept for years,
 * and it can only turn off one kind of emails to one account.
 */
export class UnsubscribeTokens {
  readonly #secret: string;

  /** @param secret SOKU_SECRET */
  constructor(secret: string) {
    this.#secret = secret;
  }

  issue({ userId, kind }: Subscription): string {
    const subject = Buffer.from(`${kind} ${userId}`).toString('base64url');
    return `${subject}.${this.#sign(subject).toString('base64url')}`;
  }

  /** @returns undefined if this server did not issue it */
  read(token: string): Subscription | undefined {
    const [subject = '', signature = ''] = token.split('.');
    if (!constantTimeEqual(Buffer.from(signature, 'base64url'), this.#sign(subject))) return undefined;
    const [kind, userId = ''] = Buffer.from(subject, 'base64url').toString().split(' ');
    const { data } = optionalMailSchema.safeParse(kind);
    return data && { userId, kind: data };
  }

  #sign(subject: string): Buffer {
    return createHmac('sha256', this.#secret).update(`soku unsubscribe\n${subject}`).digest();
  }
}
