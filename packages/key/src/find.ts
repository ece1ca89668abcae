import { checksumFits } from './checksum.ts';
import { bodyLength, defaultPrefix } from './format.ts';
import { isId, secretRun } from './may-hold-key.ts';
import { parseKey } from './parse.ts';

/**
 * Finds the first whole key (checksum included) inside other text.
 * @returns where it starts and where the text after it starts (UTF-16 units), or null
 */
export function findKey(text: string, prefixes: readonly string[]): { start: number; end: number } | null {
  for (const prefix of prefixes) {
    for (let start = text.indexOf(prefix); start >= 0; start = text.indexOf(prefix, start + 1)) {
      const end = start + prefix.length + bodyLength;
      if (parseKey(text.slice(start, end), prefixes) !== null) return { start, end };
    }
  }
  return null;
}

/**
 * Whether a text holds something that is, or looks like, a whole key; to refuse a name or a URL that holds one.
 *
 * Hashes, UUIDs and ids (long, but of one case) and ordinary names do not count; a key without its prefix, with
 * wrong characters or without its checksum does.
 * @param text any string
 * @param prefixes the accepted ones; default `sk_live_`
 */
export function containsKey(text: string, prefixes: readonly string[] = [defaultPrefix]): boolean {
  for (const match of text.matchAll(secretRun)) {
    const [run] = match;
    if (isId(match, text)) continue;
    if (prefixes.some((prefix) => text.endsWith(prefix, match.index))) return true;
    if (bareKeys(run, prefixes).length > 0 || looksLikeBody(run)) return true;
  }
  return false;
}

/**
 * Finds every whole key (checksum included) in a text: the ones with an accepted prefix, and the ones whose prefix was
 * not copied but whose checksum fits one.
 * @param text any string
 * @param prefixes the accepted ones
 * @returns the keys, prefix included, in the order in which they appear; each once
 */
export function findKeys(text: string, prefixes: readonly string[]): string[] {
  const found = new Set<string>();
  for (const match of text.matchAll(secretRun)) {
    const [run] = match;
    const body = run.slice(0, bodyLength);
    const withPrefix = prefixes.filter((prefix) => text.endsWith(prefix, match.index));
    const whole = withPrefix.map((prefix) => prefix + body).find((key) => parseKey(key, prefixes) !== null);
    for (const key of whole === undefined ? bareKeys(run, prefixes) : [whole]) found.add(key);
  }
  return [...found];
}

/** The keys whose 32 characters are somewhere in a run. By chance a place fits once in 2^32. */
function bareKeys(run: string, prefixes: readonly string[]): string[] {
  const keys: string[] = [];
  for (let start = 0; start + bodyLength <= run.length; start++) {
    const body = run.slice(start, start + bodyLength);
    for (const prefix of prefixes) {
      if (checksumFits(prefix + body)) keys.push(prefix + body);
    }
  }
  return keys;
}

/** Characters beyond the 32 of a body; a longer run is a name or a token of another kind. */
const mostSurplus = 8;

/** Of 31 pairs of neighbours in a random body about 19 differ in their class; fewer than 12 once in 300 bodies. */
const leastChanges = 12;

/**
 * A body always has a digit (its checksum begins with 0 to 4, as 5 * 62^5 > 2^32) and all but 1 in 10^7 have letters
 * of both cases. Hashes are of one case. Names in camel case change class only where a word begins.
 */
function looksLikeBody(run: string): boolean {
  if (run.length < bodyLength || run.length > bodyLength + mostSurplus) return false;
  const classes = Array.from(run, classOf);
  const changes = classes.filter((kind, at) => at > 0 && kind !== classes[at - 1]).length;
  return new Set(classes).size === 3 && changes >= leastChanges;
}

/** @param character one of `0-9A-Za-z` */
function classOf(character: string): 'digit' | 'capital' | 'small' {
  if (character <= '9') return 'digit';
  return character <= 'Z' ? 'capital' : 'small';
}
