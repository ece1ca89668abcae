import { hasValidChecksum } from './checksum.ts';
import { bodyLength, defaultPrefix, randomLength } from './format.ts';
import {
  candidateRunPattern,
  characterMix,
  isSokuId,
  looksRandom,
  secretRunPattern,
} from './may-contain-key.ts';
import { parseKey } from './parse.ts';

/** Where a key is in a text, in UTF-16 code units. The end is exclusive. */
interface Place {
  start: number;
  end: number;
}

/** Finds the first whole key (including its checksum) inside other text: the first one with the first prefix that has any. */
export function findKey(text: string, prefixes: readonly string[]): Place | null {
  for (const place of locateKeys(text, prefixes)) return place;
  return null;
}

/** Finds every whole key that has one of the prefixes, one prefix after another. */
export function* locateKeys(text: string, prefixes: readonly string[]): Generator<Place, void> {
  for (const prefix of prefixes) {
    for (let start = text.indexOf(prefix); start >= 0; start = text.indexOf(prefix, start + 1)) {
      const end = start + prefix.length + bodyLength;
      if (parseKey(text.slice(start, end), prefixes) !== null) yield { start, end };
    }
  }
}

/**
 * Whether a text contains something that is, or looks like, a key. Used to reject names and URLs that contain one.
 *
 * Hashes, UUIDs, ids (long, but of one case) and ordinary names do not count. A key without its prefix, with
 * wrong characters or without its checksum does, and so does the beginning of a truncated key.
 * @param text any string
 * @param prefixes the accepted prefixes; default `sk_live_`
 */
export function containsKey(text: string, prefixes: readonly string[] = [defaultPrefix]): boolean {
  for (const match of text.matchAll(candidateRunPattern)) {
    const [run] = match;
    if (isSokuId(match, text)) continue;
    const before = text.slice(0, match.index);
    const find = run.length < randomLength ? runBeginsKey : runContainsKey;
    if (find(run, before, prefixes)) return true;
  }
  return false;
}

/** @param before the text before the run */
function runContainsKey(run: string, before: string, prefixes: readonly string[]): boolean {
  const isPrefixed = prefixes.some((prefix) => before.endsWith(prefix));
  return isPrefixed || bareKeys(run, prefixes).length > 0 || looksLikeBody(run);
}

function runBeginsKey(run: string, before: string, prefixes: readonly string[]): boolean {
  return looksRandom(run) && prefixes.some((prefix) => endsWithWord(before, prefix));
}

/** Whether the text ends with the prefix as a separate word, not as the end of a longer one, such as `y_` in `key_`. */
function endsWithWord(text: string, prefix: string): boolean {
  return text.endsWith(prefix) && !/[0-9A-Za-z_]/.test(text.charAt(text.length - prefix.length - 1));
}

/**
 * Finds every whole key (including its checksum) in a text: keys with an accepted prefix, and keys without a prefix
 * whose checksum matches with one.
 * @param text any string
 * @param prefixes the accepted prefixes
 * @returns the keys, including the prefix, in order of appearance, without duplicates
 */
export function findKeys(text: string, prefixes: readonly string[]): string[] {
  const found = new Set<string>();
  for (const match of text.matchAll(secretRunPattern)) {
    const [run] = match;
    const body = run.slice(0, bodyLength);
    const withPrefix = prefixes.filter((prefix) => text.endsWith(prefix, match.index));
    const whole = withPrefix.map((prefix) => prefix + body).find((key) => parseKey(key, prefixes) !== null);
    for (const key of whole === undefined ? bareKeys(run, prefixes) : [whole]) found.add(key);
  }
  return [...found];
}

/** The keys whose 32 characters appear anywhere in a run. A position matches by chance once in 2^32. */
function bareKeys(run: string, prefixes: readonly string[]): string[] {
  const keys: string[] = [];
  for (let start = 0; start + bodyLength <= run.length; start++) {
    const body = run.slice(start, start + bodyLength);
    for (const prefix of prefixes) {
      if (hasValidChecksum(prefix + body)) keys.push(prefix + body);
    }
  }
  return keys;
}

/** Characters beyond the 32 of a body. A longer run is a name or another kind of token. */
const maxSurplus = 8;

/** Of 31 neighboring pairs in a random body, about 19 differ in class; fewer than 12 do so once in 300 bodies. */
const minChanges = 12;

/**
 * A body always has a digit (its checksum begins with 0 to 4, because 5 * 62^5 > 2^32), and all but 1 in 10^7 have
 * letters of both cases. Hashes have one case. Camel-case names change class only where a word begins.
 */
function looksLikeBody(run: string): boolean {
  if (run.length < bodyLength || run.length > bodyLength + maxSurplus) return false;
  const { kinds, changes } = characterMix(run);
  return kinds === 3 && changes >= minChanges;
}
