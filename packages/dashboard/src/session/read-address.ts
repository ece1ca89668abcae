import { containsKey, decodePercent, defaultPrefix, isPrefix } from '@soku/key';
import { parseSearchInput } from '../api/search-input.ts';
import { basePath } from '../base-path.ts';

interface ReadAddress {
  /** SHA-256 of the key in the address; '' if the key is not complete. */
  hash: string;
  /** Path below the base path, and query, to open instead of the address. */
  next: string;
}

/**
 * Returns what to open instead of an address that contains a key, or null if it contains none. On the key search, the
 * key's hash replaces the key. The accepted prefixes are part of the session, which is not loaded yet, so any prefix
 * that fits the checksum is accepted.
 */
export function readAddress({ href, pathname: wholePath }: URL): ReadAddress | null {
  const address = decodePercent(href);
  const prefixes = prefixesIn(address);
  const read = parseSearchInput(address, prefixes);
  if (read.kind === 'text' || (read.kind === 'damaged' && !containsKey(address, [defaultPrefix])))
    return null;
  const pathname = wholePath.slice(basePath.length);
  const path = containsKey(decodePercent(pathname), prefixes) ? '/' : pathname;
  if (read.kind === 'damaged') return { hash: '', next: path };
  const searched = /^\/(settings\/api|login)/.test(pathname);
  return { hash: read.hash, next: searched ? `/settings/api?hash=${read.hash}` : path };
}

/** Returns every text before the characters of a key that can be its prefix. */
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
