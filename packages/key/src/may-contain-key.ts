import { randomLength } from './format.ts';

/** A run of 26 or more characters can contain all random characters, from which the checksum can be computed. */
export const secretRunPattern = /[0-9A-Za-z]{26,}/g;

/**
 * The length of the shortest truncated key that counts as a key, in characters after the prefix. With 25 of the 26
 * random characters, 62 guesses find the rest; with 11 of them, 89 bits remain unknown. A preview shows 3.
 */
const minTruncatedLength = 12;
export const candidateRunPattern = new RegExp(`[0-9A-Za-z]{${minTruncatedLength},}`, 'g');

/**
 * A quick check before `containsKey` and `findKeys`, which find nothing in a text that does not pass it. It is in a
 * separate file so that a page can load the rest only when a text passes.
 */
export function mayContainKey(text: string): boolean {
  for (const match of text.matchAll(candidateRunPattern)) {
    const [run] = match;
    // Every prefix ends with an underscore.
    const isPossible = run.length >= randomLength || (text[match.index - 1] === '_' && looksRandom(run));
    if (isPossible && !isSokuId(match, text)) return true;
  }
  return false;
}

/** In characters, including the underscore: `key_`. */
const maxIdPrefixLength = 5;

/**
 * Whether a run and the text before it are, or begin, an id such as those in URLs and names (`key_` and 26
 * characters). This matters because an operator may have chosen `key_`, or its end, as the prefix of keys.
 *
 * @param match a match of `candidateRunPattern` in the text
 */
export function isSokuId({ 0: run, index }: RegExpExecArray, text: string): boolean {
  const before = text.slice(Math.max(0, index - maxIdPrefixLength - 1), index);
  return /^[0-9a-hjkmnp-tv-z]{1,26}$/.test(run) && /(?:^|[^0-9A-Za-z_])[a-z]{2,4}_$/.test(before);
}

/** In a random run, 62 % of neighboring pairs differ in class; in ordinary words, fewer than 30 % do. */
const minMixedShare = 0.3;

export function looksRandom(run: string): boolean {
  return characterMix(run).changes >= minMixedShare * (run.length - 1);
}

/** How many character classes a run has, and how often the class changes. */
export function characterMix(run: string): { kinds: number; changes: number } {
  const classes = Array.from(run, classOf);
  const changes = classes.filter((kind, at) => at > 0 && kind !== classes[at - 1]).length;
  return { kinds: new Set(classes).size, changes };
}

/** @param character one of `0-9A-Za-z` */
function classOf(character: string): 'digit' | 'uppercase' | 'lowercase' {
  if (character <= '9') return 'digit';
  return character <= 'Z' ? 'uppercase' : 'lowercase';
}
