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
 * Divides all keys into ranges with about the same number of keys. IDs start with their creation time and are not
 * evenly distributed, so the ends of the ranges come from a sample.
 *
 * @param sample IDs of some of the keys
 * @param count number of ranges; fewer are returned if the sample is small
 */
export function divideKeys(sample: readonly string[], count: number): KeyIdRange[] {
  const sorted = sample.toSorted();
  const ends = Array.from(
    { length: count - 1 },
    (_, i) => sorted[Math.floor(((i + 1) * sorted.length) / count)],
  );
  const bounds = [...new Set(ends.filter((id) => id !== undefined)), allKeys.until];
  return bounds.map((until, i) => ({ after: bounds[i - 1] ?? allKeys.after, until }));
}
