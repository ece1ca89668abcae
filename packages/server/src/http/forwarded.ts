/**
 * Parses `Forwarded` (RFC 7239) from its end. Each proxy appends an element to what it received, so the element of the
 * nearest proxy is the last one, and a client may have invented everything before it. When parsed from the start, an
 * opening quote in the client's part would swallow the proxy's element. When parsed from the end, an element has the
 * same meaning whatever precedes it.
 */

/**
 * One `name=value` of an element, or nothing, and the semicolon after it. The value is a quoted string (RFC 9110
 * section 5.6.4) or anything without quotes and separators: many proxies write addresses and ports without quotes.
 */
const pair = /[ \t]*(?:([\w!#$%&'*+.^`|~-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*))[ \t]*)?(?:;|$)/y;

/**
 * Finds the last element of a list.
 *
 * @param end index after the element
 * @returns index of its first character: after the last comma before `end` that is not in a quoted string, or 0
 */
export function startOfLastElement(list: string, end: number): number {
  let quoted = false;
  for (let i = end - 1; i >= 0; i--) {
    const character = list[i];
    if (character === '"' && !isEscaped(list, i)) quoted = !quoted;
    else if (character === ',' && !quoted) return i + 1;
  }
  return 0;
}

/** Whether an odd number of backslashes precedes a character. */
function isEscaped(text: string, index: number): boolean {
  let first = index;
  while (text[first - 1] === '\\') first -= 1;
  return (index - first) % 2 === 1;
}

/**
 * The node that an element names as the sender of the request.
 *
 * @returns null when it names none or is malformed
 */
export function nodeOfElement(element: string): string | null {
  return readElement(element)?.get('for') ?? null;
}

/**
 * The well-formed elements at the end of a list, so that all readers parse an appended element in the same way.
 *
 * @returns '' when the last one is malformed
 */
export function wellFormedSuffix(list: string): string {
  let wellFormed = list.length;
  for (let end = list.length; end >= 0; ) {
    const begin = startOfLastElement(list, end);
    if (readElement(list.slice(begin, end)) === null) break;
    wellFormed = begin;
    end = begin - 1;
  }
  return list.slice(wellFormed).trim();
}

/** The pairs of an element, with names in lowercase; null when it is malformed. */
function readElement(element: string): Map<string, string> | null {
  const pairs = new Map<string, string>();
  pair.lastIndex = 0;
  while (pair.lastIndex < element.length) {
    const found = pair.exec(element);
    if (found === null) return null;
    const [, name, quoted, plain = ''] = found;
    if (name === undefined) continue;
    // RFC 7239 section 4: a parameter occurs once in an element.
    if (pairs.has(name.toLowerCase())) return null;
    pairs.set(name.toLowerCase(), quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1'));
  }
  return pairs;
}
