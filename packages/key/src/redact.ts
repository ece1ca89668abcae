import { decodePercent } from './percent.ts';

/**
 * The last net before a log or an error message: nothing that could be a key gets through it. The first net is
 * to put no key there. It takes too much rather than too little: hashes and tokens of others go, too.
 */

/**
 * A word: characters of keys and prefixes, plain or percent-encoded (also more than once: `%255F`).
 * 30-39 are digits, 41-5A capitals, 61-7A small letters, 5F the underscore. No two alternatives start alike, so
 * a word is found in one pass.
 */
const word = /(?:[0-9A-Za-z_]|%(?:25)*(?:3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|5[Ff]))+/g;

/** The 26 random characters are the secret; what is shorter is a preview. */
const secretRun = /[0-9A-Za-z]{26}/;

/** Our ids are long enough to look like keys, and a log must name what it is about. A random key is none of them. */
const ourId = /^(?:key|sec|usr|acc|ws|evt)_[0-9a-hjkmnp-tv-z]{26}$/;

/**
 * Replaces everything that looks like a key by `[redacted]`: with any prefix or none, whole or without its
 * checksum, percent-encoded or not. Previews and our ids stay.
 * @param text any string
 * @returns the text, in which no 26 characters of `0-9A-Za-z` follow each other except in our ids
 */
export function redactKeys(text: string): string {
  return text.replace(word, (found) => (holdsSecret(found) ? '[redacted]' : found));
}

function holdsSecret(found: string): boolean {
  if (ourId.test(found)) return false;
  if (secretRun.test(found)) return true;
  return found.includes('%') && secretRun.test(decodePercent(found));
}
