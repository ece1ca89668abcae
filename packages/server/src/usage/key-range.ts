/** The keys with IDs from `after` (exclusive) to `until` (inclusive), in the order of UTF-16 code units. */
export interface KeyIdRange {
  after: string;
  until: string;
}

export const allKeys: KeyIdRange = { after: '', until: '\uffff' };

export function isInRange(keyId: string, { after, until }: KeyIdRange): boolean {
  return keyId > after && keyId <= until;
}

/**
 * The keys that follow a range, up to about so many. IDs start with the time of their creation, so the end of the range
 * depends on the keys in use, which may be more for each range.
 *
 * @param after end of the previous range
 * @param sample IDs of some of the keys
 * @param count number of the sampled keys in a range
 * @returns the rest, if it is not much more
 */
export function nextRange(after: string, sample: readonly string[], count: number): KeyIdRange {
  const later = sample.filter((id) => id > after).sort();
  const until = later.length > 1.5 * count ? later[count - 1] : undefined;
  return { after, until: until ?? allKeys.until };
}
