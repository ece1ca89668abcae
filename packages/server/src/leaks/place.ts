import type { GithubReport } from '@soku/contract/leaks';
import { decodePercent, redactKeys } from '@soku/key';

/** Maximum length of a stored URL. */
const maxUrl = 500;

/** Hashes of commits look like keys, so a URL on GitHub would be unreadable without them. */
const commitHash = /^[0-9a-f]{40}$/;

/**
 * Where a key was found, in a form that is safe to store and display: an http(s) URL without credentials, query,
 * fragment and anything that looks like a key; otherwise null.
 */
export function placeOf(match: GithubReport[number] | undefined): { url: string | null; source: string } {
  const source = match?.source?.toLowerCase() ?? '';
  return {
    url: match === undefined ? null : cleanUrl(match.url ?? '', match.token),
    source: /^[a-z_]{1,40}$/.test(source) ? source : 'unknown',
  };
}

function cleanUrl(text: string, token: string): string | null {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return null;
  const path = url.pathname.split('/').map((part) => (commitHash.test(part) ? part : redactKeys(part)));
  const clean = `${url.origin}${path.join('/')}`;
  // A key of another format does not look like one, but the report says what it is.
  if (clean.length > maxUrl || redactKeys(url.hostname) !== url.hostname) return null;
  return [clean, decodePercent(clean)].some((form) => form.includes(token)) ? null : clean;
}
