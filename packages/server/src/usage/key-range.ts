/** Keys whose ID is after `after`, and `until` or before it, in the order of UTF-16 code units. */
export interface KeyIdRange {
  after: string;
  until: string;
}

export const allKeys: KeyIdRange = { after: '', until: '\uffff' };

export function isInRange(keyId: string, { after, until }: KeyIdRange): boolean {
  return keyId > after && keyId <= until;
}

/**
 * Divides all keys into ranges with about the same number of keys. IDs start with the time of their creation, so it needs
 * to know some of them.
 *
 * @param sample IDs of some of the keys
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
