/**
 * Merges sorted lists lazily. Sorting a million entries at once would block the event loop for a second; sorting and
 * merging them step by step does not.
 *
 * @param lists each in the order of `compare`
 */
export function mergeSorted<T>(lists: readonly T[][], compare: (a: T, b: T) => number): IterableIterator<T> {
  if (lists.length <= 1) return (lists[0] ?? []).values();
  const half = lists.length >> 1;
  return merge(mergeSorted(lists.slice(0, half), compare), mergeSorted(lists.slice(half), compare), compare);
}

function* merge<T>(
  left: Iterator<T>,
  right: Iterator<T>,
  compare: (a: T, b: T) => number,
): Generator<T, void> {
  let [a, b] = [left.next(), right.next()];
  while (a.done !== true || b.done !== true) {
    if (b.done === true || (a.done !== true && compare(a.value, b.value) <= 0)) {
      if (a.done !== true) yield a.value;
      a = left.next();
    } else {
      yield b.value;
      b = right.next();
    }
  }
}
