import { decodePercent } from './percent.ts';

/**
 * The last line of defense before a log or an error message: it removes everything that could be a key. The first
 * line is to put no key there. It removes too much rather than too little, such as hashes and tokens of others.
 */

/**
 * A word: characters of keys and prefixes, plain or percent-encoded (even more than once: `%255F`).
 * 30-39 are digits, 41-5A uppercase letters, 61-7A lowercase letters, 5F the underscore. No two alternatives start
 * the same way, so a word is found in one pass.
 */
const word = /(?:[0-9A-Za-z_]|%(?:25)*(?:3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|5[Ff]))+/g;

/** The 26 random characters are the secret. Anything shorter is a preview. */
const secretRun = /[0-9A-Za-z]{26}/;

/** Soku's ids are long enough to look like keys, but logs need them. A random key does not match this pattern. */
const sokuId = /^(?:key|sec|usr|acc|ws|evt|whk|whd)_[0-9a-hjkmnp-tv-z]{26}$/;

/**
 * Replaces everything that looks like a key with `[redacted]`: with any prefix or none, whole or without its
 * checksum, percent-encoded or not. Previews and Soku's ids stay.
 * @param text any string
 * @returns the text, without any run of 26 characters of `0-9A-Za-z` outside Soku's ids
 */
export function redactKeys(text: string): string {
  return text.replace(word, (found) => (containsSecret(found) ? '[redacted]' : found));
}

function containsSecret(found: string): boolean {
  if (sokuId.test(found)) return false;
  if (secretRun.test(found)) return true;
  return found.includes('%') && secretRun.test(decodePercent(found));
}
