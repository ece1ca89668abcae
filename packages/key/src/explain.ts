import { readAsUtf8, unwrap } from './as-sent.ts';
import { characterName } from './character-name.ts';
import { checksumFits } from './checksum.ts';
import { findKey } from './find.ts';
import { bodyLength, defaultPrefix } from './format.ts';
import { malformation } from './malformation.ts';
import { notAKey } from './not-a-key.ts';
import { parseKey, prefixOfForm } from './parse.ts';

export interface KeyFault {
  code: 'missing_prefix' | 'key_preview' | 'malformed_key' | 'mistyped_key';
  /** What is wrong and what to do, for a programmer. */
  message: string;
}

/**
 * Says why a text is not taken for a key, to the person whose program sent it.
 *
 * Messages go into a 401, its WWW-Authenticate header and logs. So they are ASCII without double quotes and
 * backslashes (RFC 6750 section 3), and repeat nothing of the text: they name accepted prefixes, counts,
 * positions, and characters that are in no key. A checksum that does not fit is never explained any further,
 * so that the answer helps nobody to find a key out.
 *
 * @param text any string, as it came after `Bearer `; read in linear time
 * @param prefixes the accepted ones, that of new keys first
 * @returns null exactly when `parseKey` accepts
 */
export function explainKey(text: string, prefixes: readonly string[]): KeyFault | null {
  if (prefixOfForm(text, prefixes) !== undefined) return checksumFits(text) ? null : mistyped;
  if (prefixOfForm(text, ['']) !== undefined) return missingPrefix(text, prefixes);
  const sent = readAsUtf8(text);
  if (isPreview(sent, prefixes)) return preview;
  return {
    code: 'malformed_key',
    message:
      inOtherText(sent, prefixes) ??
      otherThing(sent, prefixes) ??
      stripeKey(sent, prefixes) ??
      malformation(sent, prefixes),
  };
}

const mistyped: KeyFault = {
  code: 'mistyped_key',
  message:
    'This key has the right form, but its checksum does not fit: a character is wrong, or some have changed places. Copy the key again; do not type it.',
};

const preview: KeyFault = {
  code: 'key_preview',
  message:
    'This is the shortened or masked form of a key, as lists and logs show it, not the key. The full key was shown once, when it was made: send that one. If it is lost, make a new key.',
};

function missingPrefix(body: string, prefixes: readonly string[]): KeyFault {
  const fitting = prefixes.find((prefix) => parseKey(prefix + body, prefixes) !== null);
  const message =
    fitting === undefined
      ? `These are the ${bodyLength} characters of a key without the prefix before them (\`${prefixes[0] ?? defaultPrefix}\`); and even with it the checksum would not fit, so another character is wrong too. Copy the whole key again.`
      : `The prefix is missing: put \`${fitting}\` before these ${bodyLength} characters. With it, the checksum fits.`;
  return { code: 'missing_prefix', message };
}

/** Dots, an ellipsis, asterisks or bullets, with less than a whole key round them. */
function isPreview(text: string, prefixes: readonly string[]): boolean {
  const mask = /^(\w*)\s*[.\u2026\u22ef*\u2022\u00b7\u25cf\u2219]+\s*(\w*)$/.exec(text);
  if (mask === null || /^\w*\.\w*$/.test(text)) return false;
  const shown = `${mask[1]}${mask[2]}`;
  const prefix = prefixes.find((candidate) => shown.startsWith(candidate)) ?? '';
  return shown.length - prefix.length < bodyLength;
}

/** A whole key with quotes, white space, `Bearer `, `NAME=` or the like round it. */
function inOtherText(text: string, prefixes: readonly string[]): string | null {
  const place = findKey(text, prefixes);
  if (place === null) return null;
  const before = [...text.slice(0, place.start)];
  const after = [...text.slice(place.end)];
  const sides = [...side(before.length, 'before', before.at(-1)), ...side(after.length, 'after', after[0])];
  return `The key is whole, but other characters stand beside it: ${sides.join(' and ')}. Send the key alone.`;
}

function side(count: number, where: string, nearest: string | undefined): string[] {
  if (nearest === undefined) return [];
  const name = characterName(nearest);
  const kind = name === null ? '' : count === 1 ? ` (${name})` : ` (the nearest is ${name})`;
  return [`${count} ${where} it${kind}`];
}

/**
 * A key of Stripe, whose prefixes ours resemble: 24 characters follow the prefix, or about 100 (docs.stripe.com/keys).
 * With a prefix that is accepted here, 24 characters are more likely a key of ours that was cut.
 */
function stripeKey(text: string, prefixes: readonly string[]): string | null {
  const parts = /^((?:sk|rk|pk)_(?:live|test)_)([0-9A-Za-z]+)$/.exec(unwrap(text));
  const [, prefix = '', random = ''] = parts ?? [];
  const isOld = random.length === 24 && !prefixes.includes(prefix);
  if (!isOld && (random.length < 60 || random.length > 247)) return null;
  return 'This looks like a key of Stripe, which this service does not know. Send the key that was created here. If the Stripe key is a secret one, roll it in the Stripe Dashboard, because it was sent to another service.';
}

/** A variable, a placeholder, a URL and so on: alone, in quotes, or after the prefix. */
function otherThing(text: string, prefixes: readonly string[]): string | null {
  const inner = unwrap(text);
  if (prefixes.includes(inner)) return null;
  const prefix = prefixes.find((candidate) => inner.startsWith(candidate)) ?? '';
  return notAKey(inner.slice(prefix.length));
}
