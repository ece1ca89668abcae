import { containsKey, decodePercent, defaultPrefix, isPrefix } from '@soku/key';
import { readSearchInput } from '../api/search-input.ts';

interface ReadAddress {
  /** SHA-256 of the key in the address; '' when that is not whole. */
  hash: string;
  /** Path and query to open in place of the address. */
  next: string;
}

/**
 * What to open in place of an address that holds a key, or null when it holds none. Where keys are searched for, the
 * key's hash takes its place. The session is not known yet, and with it the prefixes that are accepted: the checksum of
 * a whole key tells its prefix, too.
 */
export function readAddress({ href, pathname }: URL): ReadAddress | null {
  const address = decodePercent(href);
  const prefixes = prefixesIn(address);
  const read = readSearchInput(address, prefixes);
  if (read.kind === 'text' || (read.kind === 'damaged' && !containsKey(address, [defaultPrefix])))
    return null;
  const path = containsKey(decodePercent(pathname), prefixes) ? '/' : pathname;
  if (read.kind === 'damaged') return { hash: '', next: path };
  const searched = /^\/(settings\/api|login)/.test(pathname);
  return { hash: read.hash, next: searched ? `/settings/api?hash=${read.hash}` : path };
}

/** Everything before the characters of a key that can be its prefix. */
function prefixesIn(text: string): string[] {
  const found = new Set([defaultPrefix]);
  for (const [before] of text.matchAll(/[a-z0-9_]*_(?=[0-9A-Za-z]{26})/g)) {
    for (let start = Math.max(0, before.length - 20); start < before.length; start++) {
      const candidate = before.slice(start);
      if (isPrefix(candidate)) found.add(candidate);
    }
  }
  return [...found];
}
