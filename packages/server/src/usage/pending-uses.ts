/** What a secret was used for in one hour, as far as it is not written yet. */
export interface SecretCounts {
  readonly keyId: string;
  /** SHA-256 of the key, as 32 latin-1 characters. */
  readonly hash: string;
  /** Epoch hours. */
  readonly hour: number;
  accepted: number;
  refused: number;
  /** ms from the start of the hour to the last accepted use in it; -1 is none. */
  lastMs: number;
  /** Of the last accepted use. */
  address: string;
  /** Of the last accepted use, as the client sent it. */
  agent: string;
  /** Whether address and agent may differ from what was written of this hour before. */
  isNewClient: boolean;
}

/** Uses that have left the tables of the verification, and are not known to be committed. */
export class PendingUses {
  /** By key: mostly one; more with several secrets, or when an hour has just ended. */
  readonly #byKey = new Map<string, SecretCounts[]>();
  #size = 0;
  /** Handed to the sink, and not known to be committed: these do not change. */
  #fixed: ReadonlySet<SecretCounts> = new Set();

  /** How many there are, of a secret and an hour each. */
  get size(): number {
    return this.#size;
  }

  of(keyId: string): readonly SecretCounts[] {
    return this.#byKey.get(keyId) ?? [];
  }

  /** By key. An iterator of a Map lives through changes of it. */
  byKey(): IterableIterator<readonly SecretCounts[]> {
    return this.#byKey.values();
  }

  /** Adds counts to those of the same secret and hour, because one statement cannot write a row twice. */
  hold(counts: SecretCounts): void {
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

  /** From now on these do not change. @param counts none: it is known of all whether they are committed */
  fix(counts: readonly SecretCounts[]): void {
    this.#fixed = new Set(counts);
  }

  /** Called in the turn in which it is known that they are committed. */
  letGo(all: readonly SecretCounts[]): void {
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

/** @param later what was counted after it, or, when a clock was set back, before */
function add(counts: SecretCounts, later: SecretCounts): void {
  counts.accepted += later.accepted;
  counts.refused += later.refused;
  counts.isNewClient ||= later.isNewClient;
  if (later.lastMs < counts.lastMs) return;
  const { lastMs, address, agent } = later;
  Object.assign(counts, { lastMs, address, agent });
}
