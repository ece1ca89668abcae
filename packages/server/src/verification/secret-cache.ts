/** What is cached says itself whether it was used since the cache last looked. */
export interface Cached {
  used: boolean;
}

/** How many entries in use one insertion may look at: it must not hold up everybody else's verification. */
const mostSpared = 64;

/**
 * A bounded cache that keeps what is used: "second chance", also called CLOCK. A hit costs one look-up and one
 * flag; only an insertion into a full cache does work. When full, the oldest entry goes, unless it was used since
 * it was last at the front: then it moves to the back. Memory grows with the entries, not with the bound.
 */
export class SecretCache<V extends Cached> {
  readonly #entries = new Map<string, V>();
  readonly #bound: number;
  /**
   * Stands before the oldest entry, because all before it were dropped or moved to the back; it lives through changes
   * of the Map. A new iterator would have to pass over the places of all that were dropped since the Map last grew:
   * with a hundred thousand entries that took a hundred microseconds for each insertion.
   */
  #oldest: MapIterator<[string, V]>;

  /** @param bound most entries that it keeps, at least 1 */
  constructor(bound: number) {
    this.#bound = bound;
    this.#oldest = this.#entries.entries();
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) value.used = true;
    return value;
  }

  set(key: string, value: V): void {
    if (!this.#entries.has(key)) this.#makeRoom();
    value.used = false;
    this.#entries.set(key, value);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  /**
   * Ends: each turn either drops an entry or takes a flag away that only a hit can set again. In a cache whose
   * entries are all in use it would take a flag from each of them at once, so after some of them the next one goes.
   */
  #makeRoom(): void {
    let spared = 0;
    while (this.#entries.size >= this.#bound) {
      const next = this.#oldest.next();
      if (next.done === true) {
        this.#oldest = this.#entries.entries();
        continue;
      }
      const [key, value] = next.value;
      this.#entries.delete(key);
      if (!value.used || spared === mostSpared) continue;
      spared += 1;
      value.used = false;
      this.#entries.set(key, value);
    }
  }
}
