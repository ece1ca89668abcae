import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { containsKey, decodePercent, findKeys } from '@soku/key';

/** What somebody typed or pasted into the search, or put into the address. */
export type SearchInput =
  | { kind: 'text' }
  /** A whole key. `hash` is its SHA-256, in hexadecimal digits; `more` counts the other keys of the text. */
  | { kind: 'key'; hash: string; more: number }
  /** Part of a key. `start` is as much of it as a preview shows, `sk_live_2ba`. */
  | { kind: 'damaged'; start: string };

/** In UTF-16 units. Nobody looks for a key further down in what was pasted. */
const longest = 10_000;

/**
 * Recognises a key, bare or inside other text such as `Bearer sk_live_...` or a line of a log. It is hashed here and at
 * once, so that the key itself stays in no state and goes into no URL. WebCrypto would need https and an `await`.
 *
 * @param prefixes accepted key prefixes
 */
export function readSearchInput(text: string, prefixes: readonly string[]): SearchInput {
  const plain = decodePercent(text.slice(0, longest));
  const [first, ...others] = findKeys(plain, prefixes);
  if (first !== undefined) {
    return { kind: 'key', hash: bytesToHex(sha256(utf8ToBytes(first))), more: others.length };
  }
  return containsKey(plain, prefixes)
    ? { kind: 'damaged', start: startOf(plain, prefixes) }
    : { kind: 'text' };
}

function startOf(text: string, prefixes: readonly string[]): string {
  const runs = Array.from(text.matchAll(/[0-9A-Za-z]{12,}/g), ({ 0: run, index }) => ({
    run,
    prefix: prefixes.find((one) => text.endsWith(one, index)) ?? '',
  }));
  const found = runs.find(({ prefix }) => prefix !== '') ?? runs.find(({ run }) => run.length >= 26);
  return found === undefined ? '' : found.prefix + found.run.slice(0, 3);
}
