/** The uses of a secret in one hour that are not written yet. */
export interface SecretCounts {
  readonly keyId: string;
  /** SHA-256 of the key, as 32 latin-1 characters. */
  readonly hash: string;
  /** Epoch hours. */
  readonly hour: number;
  accepted: number;
  refused: number;
  /** ms from the start of the hour to its last accepted use; -1 means none. */
  lastMs: number;
  /** IP address of the last accepted use. */
  address: string;
  /** User agent of the last accepted use, as the client sent it. */
  agent: string;
  /** Whether address and agent may differ from what was last written for this hour. */
  isNewClient: boolean;
}

/** Uses that have left the verification tables and are not known to be committed. */
export class PendingUses {
  /** By key: usually one entry, several if the key has several secrets or an hour has just ended. */
  readonly #byKey = new Map<string, SecretCounts[]>();
  #size = 0;
  /** Passed to the sink and not known to be committed; these must not change. */
  #fixed: ReadonlySet<SecretCounts> = new Set();

  /** Number of entries, each for one secret and hour. */
  get size(): number {
    return this.#size;
  }

  of(keyId: string): readonly SecretCounts[] {
    return this.#byKey.get(keyId) ?? [];
  }

  /** Grouped by key. A Map iterator stays valid when the Map changes. */
  byKey(): IterableIterator<readonly SecretCounts[]> {
    return this.#byKey.values();
  }

  /** Adds counts, merging those of the same secret and hour, because one statement cannot write a row twice. */
  add(counts: SecretCounts): void {
    const own = this.#byKey.get(counts.keyId);
    const same = own?.find((one) => isSameRow(one, counts) && !this.#fixed.has(one));
    if (same !== undefined) {
      add(same, counts);
      return;
    }
    if (own === undefined) this.#byKey.set(counts.keyId, [counts]);
    else own.push(counts);
    this.#size += 1;
  }

  /** Freezes these entries and unfreezes all others. @param counts empty if the outcome of every write is known */
  freeze(counts: readonly SecretCounts[]): void {
    this.#fixed = new Set(counts);
  }

  /** Removes entries. Call it in the turn in which they are known to be committed. */
  remove(all: readonly SecretCounts[]): void {
    for (const counts of all) {
      const rest = this.of(counts.keyId).filter((other) => other !== counts);
      if (rest.length === 0) this.#byKey.delete(counts.keyId);
      else this.#byKey.set(counts.keyId, rest);
      this.#size -= 1;
    }
  }
}

function isSameRow(a: SecretCounts, b: SecretCounts): boolean {
  return a.hour === b.hour && a.hash === b.hash;
}

/** @param later counts that were recorded later, or earlier if a clock was set back */
function add(counts: SecretCounts, later: SecretCounts): void {
  counts.accepted += later.accepted;
  counts.refused += later.refused;
  counts.isNewClient ||= later.isNewClient;
  if (later.lastMs < counts.lastMs) return;
  const { lastMs, address, agent } = later;
  Object.assign(counts, { lastMs, address, agent });
}
