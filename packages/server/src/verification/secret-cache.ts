/** What is cached says itself whether it was used since the cache last looked. */
export interface Cached {
  used: boolean;
}

/**
 * A bounded cache that keeps what is used: "second chance", also called CLOCK. A hit costs one look-up and one
 * flag; only an insertion into a full cache does work. When full, the oldest entry goes, unless it was used since
 * it was last at the front: then it moves to the back. Memory grows with the entries, not with the bound.
 */
export class SecretCache<V extends Cached> {
  readonly #entries = new Map<string, V>();
  readonly #bound: number;

  /** @param bound most entries that it keeps, at least 1 */
  constructor(bound: number) {
    this.#bound = bound;
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

  /** Drops what `matches`; looks at every entry. */
  deleteWhere(matches: (value: V) => boolean): void {
    for (const [key, value] of this.#entries) if (matches(value)) this.#entries.delete(key);
  }

  /** Ends: each turn either drops an entry or takes a flag away that only a hit can set again. */
  #makeRoom(): void {
    while (this.#entries.size >= this.#bound) {
      for (const [key, value] of this.#entries) {
        this.#entries.delete(key);
        if (!value.used) break;
        value.used = false;
        this.#entries.set(key, value);
      }
    }
  }
}
