/** Limits of the cache: number of entries, and characters of each. */
const maxEntries = 1000;
const longestCached = 128;

/**
 * Caches the results of recent texts, because the same clients, proxies and field names recur.
 *
 * @param compute depends on the text alone, and never returns undefined
 */
export function memoize<T>(compute: (text: string) => T): (text: string) => T {
  const results = new Map<string, T>();
  return (text) => {
    const known = results.get(text);
    if (known !== undefined || text.length > longestCached) return known ?? compute(text);
    const result = compute(text);
    if (results.size >= maxEntries) results.clear();
    // A copy, because a slice of a header keeps the whole header in memory.
    results.set(Buffer.from(text, 'latin1').toString('latin1'), result);
    return result;
  };
}
