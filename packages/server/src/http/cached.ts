/** Bounds of what is kept: how many texts, and how many characters of each. */
const mostCached = 1000;
const longestCached = 128;

/**
 * Keeps the results of the last texts, as the same few clients, proxies and field names come again and again.
 *
 * @param compute depends on the text alone, and never returns undefined
 */
export function cached<T>(compute: (text: string) => T): (text: string) => T {
  const results = new Map<string, T>();
  return (text) => {
    const known = results.get(text);
    if (known !== undefined || text.length > longestCached) return known ?? compute(text);
    const result = compute(text);
    if (results.size >= mostCached) results.clear();
    // A copy, because a piece of a header keeps the whole header in memory.
    results.set(Buffer.from(text, 'latin1').toString('latin1'), result);
    return result;
  };
}
