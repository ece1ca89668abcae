import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { containsKey, decodePercent, findKeys } from '@soku/key';

/** Text that was typed or pasted into the search field, or is part of the page's address. */
export type SearchInput =
  | { kind: 'text' }
  /** A complete key. `hash` is its SHA-256, in hexadecimal; `more` is the number of other keys in the text. */
  | { kind: 'key'; hash: string; more: number }
  /** Part of a key. `start` contains only what a preview shows, such as `sk_live_2ba`. */
  | { kind: 'damaged'; start: string };

/** In UTF-16 code units. Keys beyond this length are not searched for. */
const maxLength = 10_000;

/**
 * Finds a key, alone or inside other text such as `Bearer sk_live_...` or a line of a log. The key is hashed here
 * immediately, so that it is never stored in state or in a URL. WebCrypto would require https and an `await`.
 *
 * @param prefixes accepted key prefixes
 */
export function parseSearchInput(text: string, prefixes: readonly string[]): SearchInput {
  const plain = decodePercent(text.slice(0, maxLength));
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
