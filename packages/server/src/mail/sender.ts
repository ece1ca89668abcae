import { emailSchema } from '@soku/contract/accounts';
import { nameSchema } from '@soku/contract/names';

/** The sender of mails. */
export interface Sender {
  /** '' if there is none. */
  name: string;
  address: string;
}

/**
 * Parses `soku@example.com` or `Soku <soku@example.com>`.
 *
 * @returns undefined if it is not such a text
 */
export function parseSender(text: string): Sender | undefined {
  const [, quoted = '', bracketed] = /^(.*?)\s*<([^<>]*)>$/.exec(text.trim()) ?? [];
  const address = emailSchema.safeParse(bracketed ?? text);
  if (!address.success) return undefined;
  const name = quoted.replace(/^"(.*)"$/, '$1');
  if (name !== '' && !nameSchema.safeParse(name).success) return undefined;
  return { name, address: address.data };
}
