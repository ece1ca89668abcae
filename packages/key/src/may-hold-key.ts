/** From 26 characters on a run holds all that is secret: whoever has those can compute the checksum. */
export const secretRun = /[0-9A-Za-z]{26,}/g;

/**
 * A quick check before `containsKey` and `findKeys`, which find nothing in a text that does not pass it. It stands in a
 * file of its own, so that a page can load the rest only when a text passes.
 */
export function mayHoldKey(text: string): boolean {
  for (const match of text.matchAll(secretRun)) {
    if (!isId(match, text)) return true;
  }
  return false;
}

/** In characters, with the underscore: `key_`. */
const longestIdPrefix = 5;

/**
 * Whether a run and what comes before it are one of the ids that stand in URLs and names (`key_` and 26 characters): an
 * operator may have chosen `key_`, or its end, as the prefix of keys.
 *
 * @param match of `secretRun`, in the text
 */
export function isId({ 0: run, index }: RegExpExecArray, text: string): boolean {
  const before = text.slice(Math.max(0, index - longestIdPrefix - 1), index);
  return /^[0-9a-hjkmnp-tv-z]{26}$/.test(run) && /(?:^|[^0-9A-Za-z_])[a-z]{2,4}_$/.test(before);
}
