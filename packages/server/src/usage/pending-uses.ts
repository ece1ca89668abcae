import { ClientDays } from './client-days.ts';
import { isInRange, type KeyIdRange } from './key-range.ts';
import { addRejections, type Rejections } from './rejection-counts.ts';

/** The uses of a secret in one hour that are not written yet. */
export interface SecretCounts {
  readonly keyId: string;
  readonly workspaceId: string;
  /** SHA-256 of the key, as 32 latin-1 characters. */
  readonly hash: string;
  /** Epoch hours. */
  readonly hour: number;
  accepted: number;
  refused: number;
  /** The same rejected uses by code. */
  refusedBy: Rejections;
  /** ms from the start of the hour to its last accepted use; -1 means none. */
  lastMs: number;
  /** IP address of the last accepted use. */
  address: string;
  /** User agent of the last accepted use, as the client sent it. */
  agent: string;
  /** Whether the last use must be written: its address or agent is new, or it is the first in five minutes. */
  changesLastUse: boolean;
}

/**
 * Uses that have left the verification tables and are not known to be committed. Uses are added to open entries. A pass
 * of a flush chooses a range of keys, closes all their entries at once and writes them; closed entries do not change, and
 * later uses start new ones.
 */
export class PendingUses {
  /** The clients of all counts that have left the tables. They are written on their own (client-writer.ts). */
  readonly clients = new ClientDays();
  /** By key: usually one entry, several if the key has several secrets or an hour has just ended. */
  readonly #open = new Map<string, SecretCounts[]>();
  /**
   * The open entries of the chosen keys. They are kept apart from the others, so that closing them does not slow down
   * with the number of others.
   */
  #chosen = new Map<string, SecretCounts[]>();
  #closed = new Map<string, SecretCounts[]>();
  #range: KeyIdRange | undefined;
  /**
   * All entries, open and closed, by workspace, so that reading one workspace does not slow down with the entries of
   * others.
   */
  readonly #byWorkspace = new Map<string, Set<SecretCounts>>();
  #size = 0;
  readonly #unlogged = new Map<string, SecretCounts>();
  /** Whether there is a log. Otherwise nothing is unlogged. */
  hasLog = false;

  /** Number of entries, each for one secret and hour. */
  get size(): number {
    return this.#size;
  }

  /** What the open entries have counted that is not in the log: one entry for each secret and hour. */
  get unlogged(): readonly SecretCounts[] {
    return [...this.#unlogged.values()];
  }

  /** Number of entries that are not in the log, or not completely. */
  get unloggedSize(): number {
    return this.#unlogged.size;
  }

  of(keyId: string): readonly SecretCounts[] {
    return [this.#closed, this.#chosen, this.#open].flatMap((uses) => uses.get(keyId) ?? []);
  }

  /** The key of every n-th open entry. */
  sampleKeys(every: number): string[] {
    return [...this.#chosen.keys(), ...this.#open.keys()].filter((_key, i) => i % every === 0);
  }

  /** In the order in which they were counted. */
  ofWorkspace(workspaceId: string): Iterable<SecretCounts> {
    return this.#byWorkspace.get(workspaceId) ?? [];
  }

  /** Adds counts, merging those of the same secret and hour, because one statement cannot write a row twice. */
  add(counts: SecretCounts): void {
    const isChosen = this.#range !== undefined && isInRange(counts.keyId, this.#range);
    if (isChosen) this.#choose(counts.keyId);
    const uses = isChosen ? this.#chosen : this.#open;
    const own = uses.get(counts.keyId);
    const same = own?.find((one) => one.hour === counts.hour && one.hash === counts.hash);
    if (same !== undefined) {
      merge(same, counts);
      return;
    }
    if (own === undefined) uses.set(counts.keyId, [counts]);
    else own.push(counts);
    const ofWorkspace = this.#byWorkspace.get(counts.workspaceId);
    if (ofWorkspace === undefined) this.#byWorkspace.set(counts.workspaceId, new Set([counts]));
    else ofWorkspace.add(counts);
    this.#size += 1;
  }

  /** Records which part of added counts is not in the log. @param logged how many of the accepted uses are in it */
  addUnlogged(counts: Readonly<SecretCounts>, logged: number): void {
    if (!this.hasLog) return;
    const unlogged = { ...counts, accepted: counts.accepted - logged };
    const name = entryNameOf(counts);
    const same = this.#unlogged.get(name);
    if (same === undefined) this.#unlogged.set(name, unlogged);
    else merge(same, unlogged);
  }

  /** Call it in the turn in which these unlogged counts were read and are known to be in the log. */
  setLogged(all: readonly Readonly<SecretCounts>[]): void {
    for (const counts of all) this.#unlogged.delete(entryNameOf(counts));
  }

  /** The open entries of keys that are not chosen. */
  *open(): Generator<SecretCounts, void> {
    for (const own of this.#open.values()) yield* own;
  }

  /**
   * Chooses the keys of a range, until their entries are closed or another range is chosen. Entries that are added
   * later are chosen at once. Those that exist already are chosen by the returned iterator: each step looks at one key.
   */
  *choose(range: KeyIdRange): Generator<undefined, void> {
    for (const [keyId, own] of this.#chosen) this.#open.set(keyId, own);
    this.#chosen = new Map();
    this.#range = range;
    for (const keyId of this.#open.keys()) {
      if (isInRange(keyId, range)) this.#choose(keyId);
      yield;
    }
  }

  #choose(keyId: string): void {
    const own = this.#open.get(keyId);
    if (own === undefined) return;
    this.#open.delete(keyId);
    this.#chosen.set(keyId, own);
  }

  /** Whether chosen keys have open entries. */
  get hasChosen(): boolean {
    return this.#chosen.size > 0;
  }

  /**
   * Closes the entries of the chosen keys. Call it in the turn in which the unlogged counts of all keys are known to be
   * in the log.
   *
   * @throws if entries that were closed earlier are not removed yet
   */
  close(): void {
    if (this.#closed.size > 0) throw new Error('the uses of the previous flush are not written yet');
    this.#closed = this.#chosen;
    this.#chosen = new Map();
    this.#range = undefined;
    this.#unlogged.clear();
  }

  /** The closed entries, grouped by key. */
  closed(): IterableIterator<readonly SecretCounts[]> {
    return this.#closed.values();
  }

  /** Removes closed entries. Call it in the turn in which they are known to be committed. */
  remove(all: readonly SecretCounts[]): void {
    for (const counts of all) {
      const rest = (this.#closed.get(counts.keyId) ?? []).filter((other) => other !== counts);
      if (rest.length === 0) this.#closed.delete(counts.keyId);
      else this.#closed.set(counts.keyId, rest);
      const ofWorkspace = this.#byWorkspace.get(counts.workspaceId);
      ofWorkspace?.delete(counts);
      if (ofWorkspace?.size === 0) this.#byWorkspace.delete(counts.workspaceId);
      this.#size -= 1;
    }
  }
}

/** Identifies an entry among the unlogged ones. */
function entryNameOf({ hour, hash }: Readonly<SecretCounts>): string {
  return `${hour} ${hash}`;
}

/** The order in which a flush writes: that of the rows of `usage_hour`, so that it touches few pages. */
export function compareCounts(a: CountsPosition, b: CountsPosition): number {
  if (a.hour !== b.hour) return a.hour - b.hour;
  if (a.keyId !== b.keyId) return a.keyId < b.keyId ? -1 : 1;
  if (a.hash === b.hash) return 0;
  return a.hash < b.hash ? -1 : 1;
}

/** What identifies a row of `usage_hour`, and its position in the order of `compareCounts`. */
export type CountsPosition = Pick<SecretCounts, 'hour' | 'keyId' | 'hash'>;

/** @param later counts that were recorded later, or earlier if a clock was set back */
function merge(counts: SecretCounts, later: SecretCounts): void {
  counts.accepted += later.accepted;
  counts.refused += later.refused;
  counts.refusedBy = addRejections(counts.refusedBy, later.refusedBy);
  counts.changesLastUse ||= later.changesLastUse;
  if (later.lastMs < counts.lastMs) return;
  const { lastMs, address, agent } = later;
  Object.assign(counts, { lastMs, address, agent });
}
