import { randomLength } from './format.ts';

/** From 26 characters on a run holds all that is secret: whoever has those can compute the checksum. */
export const secretRun = /[0-9A-Za-z]{26,}/g;

/**
 * The shortest beginning of a key that counts, in characters after the prefix. With 25 of the 26 random characters 62
 * guesses find the rest; with 11 of them 89 bits are unknown. A preview has 3.
 */
const leastOfKey = 12;
export const possibleRun = new RegExp(`[0-9A-Za-z]{${leastOfKey},}`, 'g');

/**
 * A quick check before `containsKey` and `findKeys`, which find nothing in a text that does not pass it. It stands in a
 * file of its own, so that a page can load the rest only when a text passes.
 */
export function mayHoldKey(text: string): boolean {
  for (const match of text.matchAll(possibleRun)) {
    const [run] = match;
    // Every prefix ends with an underscore.
    const isPossible = run.length >= randomLength || (text[match.index - 1] === '_' && looksRandom(run));
    if (isPossible && !isId(match, text)) return true;
  }
  return false;
}

/** In characters, with the underscore: `key_`. */
const longestIdPrefix = 5;

/**
 * Whether a run and what comes before it are, or begin, one of the ids that stand in URLs and names (`key_` and 26 characters): an
 * operator may have chosen `key_`, or its end, as the prefix of keys.
 *
 * @param match of `possibleRun`, in the text
 */
export function isId({ 0: run, index }: RegExpExecArray, text: string): boolean {
  const before = text.slice(Math.max(0, index - longestIdPrefix - 1), index);
  return /^[0-9a-hjkmnp-tv-z]{1,26}$/.test(run) && /(?:^|[^0-9A-Za-z_])[a-z]{2,4}_$/.test(before);
}

/** Of the pairs of neighbours in a random run 62 % differ in their class; in words fewer than 30 % do. */
const leastMixed = 0.3;

export function looksRandom(run: string): boolean {
  return mixtureOf(run).changes >= leastMixed * (run.length - 1);
}

/** How many classes of characters a run has, and how often its class changes. */
export function mixtureOf(run: string): { kinds: number; changes: number } {
  const classes = Array.from(run, classOf);
  const changes = classes.filter((kind, at) => at > 0 && kind !== classes[at - 1]).length;
  return { kinds: new Set(classes).size, changes };
}

/** @param character one of `0-9A-Za-z` */
function classOf(character: string): 'digit' | 'capital' | 'small' {
  if (character <= '9') return 'digit';
  return character <= 'Z' ? 'capital' : 'small';
}
