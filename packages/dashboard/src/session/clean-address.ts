import { containsKey, decodePercent, defaultPrefix, isPrefix } from '@soku/key';
import { readSearchInput } from '../api/search-input.ts';

/** The hash of the key that the address held with which this page was opened; '' when it held none. */
export let hashFromAddress = '';

/**
 * Takes a key out of the address before anything reads it: the router, a request, the way to the login page. Where keys
 * are searched for, the key's hash takes its place. Runs before the session is known, and with it the prefixes that
 * are accepted: the checksum of a whole key tells its prefix, too.
 */
export function cleanAddress({ location, history }: Window): void {
  const address = decodePercent(location.href);
  const prefixes = prefixesIn(address);
  const read = readSearchInput(address, prefixes);
  if (read.kind === 'text' || (read.kind === 'damaged' && !containsKey(address, [defaultPrefix]))) return;
  if (read.kind === 'key') hashFromAddress = read.hash;
  const path = containsKey(decodePercent(location.pathname), prefixes) ? '/' : location.pathname;
  const searched = /^\/(settings\/api|login)/.test(location.pathname);
  const next = searched && read.kind === 'key' ? `/settings/api?hash=${read.hash}` : path;
  history.replaceState(null, '', next);
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
