/** Encoded characters that some servers decode before they split a path, which makes the path ambiguous. */
const encodedDelimiters = /%(?:2[35ef]|3[bf]|5c|[01][\da-f]|7f|$|.$|[^\da-f]|.[^\da-f])/i;

/** Matches everything except characters that split a path or end a segment for some servers. */
const plainCharacters = /[^./\\;%?#]/g;

/**
 * Splits the path of a target into decoded, lowercase segments if every server interprets it the same way. A trailing
 * slash is ignored. Rejected are: an empty segment; a segment that ends with a dot or a space (including `.` and `..`,
 * and because Windows strips them); a semicolon or a backslash; a percent-encoded slash, backslash, dot, percent sign,
 * semicolon, question mark, number sign or control character; invalid UTF-8; and Unicode variants of these characters.
 *
 * @param target a path that begins with a slash, with or without a query
 * @returns undefined if servers may interpret the path differently
 */
export function parseUnambiguousPath(target: string): string[] | undefined {
  const [path = ''] = target.split('?', 1);
  if (!path.startsWith('/') || encodedDelimiters.test(path) || /[\\;]/.test(path)) return undefined;
  const decoded = decode(path.slice(1));
  // NFKC: a full-width slash, for example, is a slash for servers that normalize after decoding.
  const folded = decoded?.normalize('NFKC');
  if (decoded === undefined || folded === undefined) return undefined;
  if (folded.replaceAll(plainCharacters, '') !== decoded.replaceAll(plainCharacters, '')) return undefined;
  const segments = folded.toLowerCase().split('/');
  if (segments.at(-1) === '') segments.pop();
  return segments.every((segment) => /[^. ]$/u.test(segment)) ? segments : undefined;
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
