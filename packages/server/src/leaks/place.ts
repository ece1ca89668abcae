import type { GithubReport } from '@soku/contract/leaks';
import { decodePercent, redactKeys } from '@soku/key';

/** Maximum length of a stored URL. */
const maxUrl = 500;

/** Hashes of commits look like keys, so a URL on GitHub would be unreadable without them. */
const commitHash = /^[0-9a-f]{40}$/;

/**
 * Where a key was found, in a form that is safe to store and display: an http(s) URL without credentials, query,
 * fragment and anything that looks like a key, and without the tokens of the report; otherwise null.
 *
 * @param tokens all tokens of the report
 */
export function leakLocation(
  match: GithubReport[number] | undefined,
  tokens: readonly string[],
): { url: string | null; source: string } {
  const source = match?.source?.toLowerCase() ?? '';
  return {
    url: match === undefined ? null : cleanUrl(match.url ?? '', tokens),
    source: /^[a-z_]{1,40}$/.test(source) ? source : 'unknown',
  };
}

function cleanUrl(text: string, tokens: readonly string[]): string | null {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return null;
  const path = url.pathname.split('/').map((part) => (commitHash.test(part) ? part : redactKeys(part)));
  const clean = `${url.origin}${path.join('/')}`;
  // Imported keys and commit hashes need not look like keys, but the report says what its keys are.
  if (clean.length > maxUrl || redactKeys(url.hostname) !== url.hostname) return null;
  const forms = [clean, decodePercent(clean)];
  return tokens.some((token) => forms.some((form) => form.includes(token))) ? null : clean;
}
