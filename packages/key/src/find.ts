import { checksumFits } from './checksum.ts';
import { bodyLength, defaultPrefix } from './format.ts';
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

/** From 26 characters on a run holds all that is secret: whoever has those can compute the checksum. */
const secretRun = /[0-9A-Za-z]{26,}/g;

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
    if (prefixes.some((prefix) => text.endsWith(prefix, match.index))) return true;
    if (isBody(run, prefixes) || looksLikeBody(run)) return true;
  }
  return false;
}

function isBody(run: string, prefixes: readonly string[]): boolean {
  return run.length === bodyLength && prefixes.some((prefix) => checksumFits(prefix + run));
}

/**
 * A body always has a digit (its checksum begins with 0 to 4, as 5 * 62^5 > 2^32) and all but 1 in 10^7 have letters
 * of both cases. Hashes are of one case.
 */
function looksLikeBody(run: string): boolean {
  return run.length >= bodyLength && /[0-9]/.test(run) && /[A-Z]/.test(run) && /[a-z]/.test(run);
}
