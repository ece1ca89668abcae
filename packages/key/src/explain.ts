import { characterName } from './character-name.ts';
import { hasValidChecksum } from './checksum.ts';
import { findKey } from './find.ts';
import { bodyLength, defaultPrefix } from './format.ts';
import { decodeHeaderText, trimQuotes } from './header-text.ts';
import { describeMalformedKey } from './malformed-key.ts';
import { explainNonKey } from './non-key.ts';
import { matchPrefix, parseKey } from './parse.ts';

export interface KeyProblem {
  code: 'missing_prefix' | 'key_preview' | 'malformed_key' | 'mistyped_key';
  /** What is wrong and what to do, for a programmer. */
  message: string;
}

/**
 * Explains why a text is not a valid key, for the programmer whose code sent it.
 *
 * Messages appear in 401 responses, their WWW-Authenticate header and logs. They are ASCII without double quotes and
 * backslashes (RFC 6750 section 3), and repeat no part of the text: they name accepted prefixes, counts, positions,
 * and characters that keys cannot contain. A checksum mismatch is never explained in more detail, so that the
 * message does not help anyone guess a key.
 *
 * @param text any string, as sent after `Bearer `; read in linear time
 * @param prefixes the accepted prefixes, the one of new keys first
 * @returns null if and only if `parseKey` accepts the text
 */
export function explainKey(text: string, prefixes: readonly string[]): KeyProblem | null {
  if (matchPrefix(text, prefixes) !== undefined) return hasValidChecksum(text) ? null : mistyped;
  if (matchPrefix(text, ['']) !== undefined) return missingPrefix(text, prefixes);
  const sent = decodeHeaderText(text);
  if (isPreview(sent, prefixes)) return preview;
  return {
    code: 'malformed_key',
    message:
      extraCharacters(sent, prefixes) ??
      somethingElse(sent, prefixes) ??
      stripeKey(sent, prefixes) ??
      describeMalformedKey(sent, prefixes),
  };
}

const mistyped: KeyProblem = {
  code: 'mistyped_key',
  message:
    'The checksum of this key does not match: a character is wrong, or characters are in the wrong order. Copy the key again instead of typing it.',
};

const preview: KeyProblem = {
  code: 'key_preview',
  message:
    'This is the shortened or masked form of a key, not the key. Send the full key, which was shown once, when it was created. If it is lost, rotate the key.',
};

function missingPrefix(body: string, prefixes: readonly string[]): KeyProblem {
  const fitting = prefixes.find((prefix) => parseKey(prefix + body, prefixes) !== null);
  const message =
    fitting === undefined
      ? `The key prefix (\`${prefixes[0] ?? defaultPrefix}\`) is missing, and even with it the checksum would not match. Copy the whole key again.`
      : `The key prefix is missing: add \`${fitting}\` before these ${bodyLength} characters. With it, the checksum matches.`;
  return { code: 'missing_prefix', message };
}

/** Whether a text is dots, an ellipsis, asterisks or bullets, with less than a whole key around them. */
function isPreview(text: string, prefixes: readonly string[]): boolean {
  const mask = /^(\w*)\s*[.\u2026\u22ef*\u2022\u00b7\u25cf\u2219]+\s*(\w*)$/.exec(text);
  if (mask === null || /^\w*\.\w*$/.test(text)) return false;
  const shown = `${mask[1]}${mask[2]}`;
  const prefix = prefixes.find((candidate) => shown.startsWith(candidate)) ?? '';
  return shown.length - prefix.length < bodyLength;
}

/** The message for a whole key with quotes, whitespace, `Bearer `, `NAME=` or the like around it. */
function extraCharacters(text: string, prefixes: readonly string[]): string | null {
  const place = findKey(text, prefixes);
  if (place === null) return null;
  const before = [...text.slice(0, place.start)];
  const after = [...text.slice(place.end)];
  const sides = [...side(before.length, 'before', before.at(-1)), ...side(after.length, 'after', after[0])];
  return `The key is complete, but there are extra characters: ${sides.join(' and ')}. Send only the key.`;
}

function side(count: number, where: string, nearest: string | undefined): string[] {
  if (nearest === undefined) return [];
  const name = characterName(nearest);
  const kind = name === null ? '' : count === 1 ? ` (${name})` : ` (the nearest is ${name})`;
  return [`${count} ${where} it${kind}`];
}

/**
 * The message for a Stripe key, whose prefix resembles ours: 24 or about 100 characters follow the prefix
 * (docs.stripe.com/keys). After a prefix that is accepted here, 24 characters are more likely a truncated Soku key.
 */
function stripeKey(text: string, prefixes: readonly string[]): string | null {
  const parts = /^((?:sk|rk|pk)_(?:live|test)_)([0-9A-Za-z]+)$/.exec(trimQuotes(text));
  const [, prefix = '', random = ''] = parts ?? [];
  const isOld = random.length === 24 && !prefixes.includes(prefix);
  if (!isOld && (random.length < 60 || random.length > 247)) return null;
  return 'This looks like a Stripe key, which this service does not accept. Send the key that was created here. If the Stripe key is secret, roll it in the Stripe Dashboard, because it was exposed to another service.';
}

/** The message for a variable, a placeholder, a URL and so on: alone, in quotes, or after the prefix. */
function somethingElse(text: string, prefixes: readonly string[]): string | null {
  const inner = trimQuotes(text);
  if (prefixes.includes(inner)) return null;
  const prefix = prefixes.find((candidate) => inner.startsWith(candidate)) ?? '';
  return explainNonKey(inner.slice(prefix.length));
}
