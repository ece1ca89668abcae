import { setImmediate as turn } from 'node:timers/promises';
import { mergeSorted } from './merge.ts';
import { Pace } from './pace.ts';

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

/** Where the verification counts. */
export interface UsageSource {
  /** How many secrets have counts, at most. */
  readonly pendingUses: number;
  /** Hands over the counts of secrets that it has forgotten, and of hours that have ended. */
  takeLeft(): SecretCounts[];
  /** Hands over the counts of some secrets. None: there are no more. */
  takeUses(most: number): SecretCounts[];
  /** The counts of a key that were not handed over. */
  usesOf(keyId: string): SecretCounts[];
}

/** Where usage is kept. */
export interface UsageSink {
  /**
   * Writes some of them in one transaction: from the first on, at least one, as many as fit into a short while. Calls
   * `written` once, in the turn in which it is known that they are committed. When it rejects, that may not be known
   * yet; it is then called with the same counts again, unless it calls `written` before that.
   *
   * @param durable whether it must survive a power cut, with all that was written before
   * @param written told how many
   */
  write(
    counts: readonly Readonly<SecretCounts>[],
    durable: boolean,
    written: (count: number) => void,
  ): Promise<void>;
}

/** How many secrets a flush takes over, or sorts, in one turn of the event loop: less than a millisecond of work. */
const mostATurn = 1000;

/** Most that are handed to the sink at once. */
const mostAtOnce = 500;

/**
 * Takes the counts of secrets from the verification, and hands them to the sink.
 *
 * Why no use is lost or counted twice, although nothing is locked: JavaScript runs one turn at a time, and counts are in
 * one of two places. The verification counts in its table. Whatever leaves the table is held here in the same turn, and
 * until the turn in which it is known to be committed. As long as it is not known whether some of it is committed, the
 * same is written again, and nothing else.
 *
 * Memory grows with the secrets that were used since the flush before, not with those that exist.
 */
export class UsageRecorder {
  readonly #sink: UsageSink;
  readonly #source: UsageSource;
  readonly #pace: Pace;
  /** By key: mostly one; more with several secrets, or when an hour has just ended. */
  readonly #held = new Map<string, SecretCounts[]>();
  #heldCount = 0;
  /** What was handed to the sink, and is not known to be committed. It does not change. */
  #unsettled: readonly SecretCounts[] = [];
  /** Settles when every flush that was begun has ended. */
  #flushed: Promise<void> = Promise.resolve();

  constructor(sink: UsageSink, source: UsageSource, pace: Pace = new Pace()) {
    this.#sink = sink;
    this.#source = source;
    this.#pace = pace;
  }

  /** How many secrets have uses that are not written, for the metrics. */
  get pending(): number {
    return this.#heldCount + this.#source.pendingUses;
  }

  /** What of a key is in no database yet. */
  of(keyId: string): readonly SecretCounts[] {
    this.#hold(this.#source.takeLeft());
    return [...(this.#held.get(keyId) ?? []), ...this.#source.usesOf(keyId)];
  }

  /**
   * Writes everything that was counted before the call, in slices and at the pace.
   *
   * @throws what the sink threw; the counts that were not written stay for the next flush
   */
  flush(): Promise<void> {
    const flush = this.#flushed.then(() => this.#flush());
    this.#flushed = flush.catch(() => undefined);
    return flush;
  }

  async #flush(): Promise<void> {
    if (this.#unsettled.length > 0) await this.#write(this.#unsettled, false);
    await this.#takeOver();
    const used = mergeSorted(await this.#sorted(), inOrderOfTable);
    let batch = take(used, mostAtOnce);
    while (batch.length > 0) {
      // A batch that is not full is the last one: with it the whole flush is on the disk.
      const count = await this.#write(batch, batch.length < mostAtOnce);
      batch = [...batch.slice(count), ...take(used, count)];
    }
  }

  /** @returns how many of them were written */
  async #write(counts: readonly SecretCounts[], durable: boolean): Promise<number> {
    let count = 0;
    this.#unsettled = counts;
    const written = (told: number) => {
      count = told;
      this.#unsettled = [];
      for (const each of counts.slice(0, told)) this.#letGo(each);
    };
    await this.#pace.step(() => this.#sink.write(counts, durable, written));
    return count;
  }

  /** Holds what the source has at the moment. What is counted meanwhile waits, or this might never end. */
  async #takeOver(): Promise<void> {
    this.#hold(this.#source.takeLeft());
    for (let left = this.#source.pendingUses; left > 0; left -= mostATurn) {
      this.#hold(this.#source.takeUses(Math.min(left, mostATurn)));
      await turn();
    }
  }

  #hold(all: readonly SecretCounts[]): void {
    for (const counts of all) {
      const own = this.#held.get(counts.keyId);
      // One statement cannot write a row twice.
      const same = own?.find((one) => isSameRow(one, counts) && !this.#unsettled.includes(one));
      if (same !== undefined) {
        add(same, counts);
        continue;
      }
      if (own === undefined) this.#held.set(counts.keyId, [counts]);
      else own.push(counts);
      this.#heldCount += 1;
    }
  }

  #letGo(counts: SecretCounts): void {
    const rest = this.#held.get(counts.keyId)?.filter((other) => other !== counts) ?? [];
    if (rest.length === 0) this.#held.delete(counts.keyId);
    else this.#held.set(counts.keyId, rest);
    this.#heldCount -= 1;
  }

  /** All that is held, as sorted lists. What comes meanwhile waits for the next flush. */
  async #sorted(): Promise<SecretCounts[][]> {
    const lists: SecretCounts[][] = [];
    const all = this.#held.values();
    for (let left = this.#held.size; left > 0; left -= mostATurn) {
      lists.push(take(all, Math.min(left, mostATurn)).flat().sort(inOrderOfTable));
      await turn();
    }
    return lists;
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

function inOrderOfTable(a: SecretCounts, b: SecretCounts): number {
  if (a.hour !== b.hour) return a.hour - b.hour;
  if (a.keyId === b.keyId) return 0;
  return a.keyId < b.keyId ? -1 : 1;
}

/** The next entries, as many as there are. */
function take<T>(from: Iterator<T>, most: number): T[] {
  const taken: T[] = [];
  while (taken.length < most) {
    const next = from.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
}
