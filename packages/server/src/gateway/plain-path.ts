/** What some servers decode before they split a path, so that it means one thing there and another here. */
const encodedMeaning = /%(?:2[35ef]|3[bf]|5c|[01][\da-f]|7f|$|.$|[^\da-f]|.[^\da-f])/i;

/** Characters that split a path or end a segment for some servers. */
const meaning = /[^./\\;%?#]/g;

/**
 * Splits the path of a target into decoded segments, in small letters, if every server reads it alike. The slash at the
 * end does not count. Refused are: an empty segment, one that ends with a dot or a space (`.` and `..` among them, and
 * what Windows takes off), a semicolon or a backslash, a percent-encoded slash, backslash, dot, percent sign, semicolon,
 * question mark, number sign or control character, and what is not UTF-8 or has another shape of these characters.
 *
 * @param target of a request: a path that begins with a slash, with a query or without
 * @returns undefined when servers may differ about it
 */
export function plainSegments(target: string): string[] | undefined {
  const [path = ''] = target.split('?', 1);
  if (!path.startsWith('/') || encodedMeaning.test(path) || /[\\;]/.test(path)) return undefined;
  const decoded = decode(path.slice(1));
  // NFKC: a full-width slash, for example, is a slash for servers that fold what they decoded.
  const folded = decoded?.normalize('NFKC');
  if (decoded === undefined || folded === undefined) return undefined;
  if (folded.replaceAll(meaning, '') !== decoded.replaceAll(meaning, '')) return undefined;
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
