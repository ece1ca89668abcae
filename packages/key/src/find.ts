import { checksumFits } from './checksum.ts';
import { bodyLength, defaultPrefix, randomLength } from './format.ts';
import { isId, looksRandom, mixtureOf, possibleRun, secretRun } from './may-hold-key.ts';
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
 * Whether a text holds something that is, or looks like, a key; to refuse a name or a URL that holds one.
 *
 * Hashes, UUIDs and ids (long, but of one case) and ordinary names do not count; a key without its prefix, with
 * wrong characters or without its checksum does, and so does the beginning of a key that was cut off.
 * @param text any string
 * @param prefixes the accepted ones; default `sk_live_`
 */
export function containsKey(text: string, prefixes: readonly string[] = [defaultPrefix]): boolean {
  for (const match of text.matchAll(possibleRun)) {
    const [run] = match;
    if (isId(match, text)) continue;
    const before = text.slice(0, match.index);
    const find = run.length < randomLength ? beginsKey : holdsKey;
    if (find(run, before, prefixes)) return true;
  }
  return false;
}

/** @param before the text before the run */
function holdsKey(run: string, before: string, prefixes: readonly string[]): boolean {
  const isPrefixed = prefixes.some((prefix) => before.endsWith(prefix));
  return isPrefixed || bareKeys(run, prefixes).length > 0 || looksLikeBody(run);
}

function beginsKey(run: string, before: string, prefixes: readonly string[]): boolean {
  return looksRandom(run) && prefixes.some((prefix) => endsWithWord(before, prefix));
}

/** Whether the prefix stands by itself: `sk_live_`, but not the end of another word, such as `y_` in `key_`. */
function endsWithWord(text: string, prefix: string): boolean {
  return text.endsWith(prefix) && !/[0-9A-Za-z_]/.test(text.charAt(text.length - prefix.length - 1));
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
  const { kinds, changes } = mixtureOf(run);
  return kinds === 3 && changes >= leastChanges;
}
