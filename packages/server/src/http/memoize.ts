/** Limits of the cache: number of entries, and characters of each. */
const maxEntries = 1000;
const longestCached = 128;

interface Entry<T> {
  text: string;
  result: T;
}

/**
 * Caches the results of recent texts, because the same clients, proxies and field names recur. The last one is found
 * without a look-up: it would hash the text, which is new for each request even if its characters are the same.
 *
 * @param compute depends on the text alone
 */
export function memoize<T>(compute: (text: string) => T): (text: string) => T {
  const entries = new Map<string, Entry<T>>();
  let last: Entry<T> | undefined;
  return (text) => {
    if (last?.text === text) return last.result;
    const known = entries.get(text);
    if (known !== undefined) {
      last = known;
      return known.result;
    }
    const result = compute(text);
    if (text.length > longestCached) return result;
    if (entries.size >= maxEntries) entries.clear();
    // A copy, because a slice of a header keeps the whole header in memory.
    last = { text: Buffer.from(text, 'latin1').toString('latin1'), result };
    entries.set(last.text, last);
    return result;
  };
}
