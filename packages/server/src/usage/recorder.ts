import { setImmediate as turn } from 'node:timers/promises';
import { mergeSorted } from './merge.ts';
import { Pace } from './pace.ts';
import type { PendingUses, SecretCounts } from './pending-uses.ts';

/** Where the verification counts. */
export interface UsageSource {
  /** What has left the tables. Whatever leaves one is held there in the same turn. */
  readonly pending: PendingUses;
  readonly tables: readonly CountingTable[];
}

/** Counts of secrets, by rows. */
export interface CountingTable {
  /** How many rows have counts. */
  readonly pending: number;
  /** The rows that have got counts since the last call; those that have lost them meanwhile may be among them. */
  countedRows(): number[];
  /** Lets go of the counts of a row, if it has any. */
  hold(row: number): void;
  /** The counts of a key. */
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

/** How many rows a flush takes over, or keys it sorts, in one turn of the event loop: about a millisecond of work. */
const mostATurn = 1000;

/** Most that are handed to the sink at once. */
const mostAtOnce = 500;

/**
 * Takes the counts of secrets from the verification, and hands them to the sink.
 *
 * Why no use is lost or counted twice, although nothing is locked: JavaScript runs one turn at a time, and counts are in
 * one of two places. The verification counts in its tables. Whatever leaves a table is held (PendingUses) in the same turn,
 * until the turn in which it is known to be committed. As long as it is not known whether some of it is committed, the
 * same is written again, and nothing else.
 *
 * Memory grows with the secrets that were used since the last flush that ended well, not with those that exist, nor
 * with how often they were used.
 */
export class UsageRecorder {
  readonly #sink: UsageSink;
  readonly #source: UsageSource;
  readonly #pace: Pace;
  /** What was handed to the sink, and is not known to be committed. */
  #unsettled: readonly SecretCounts[] = [];
  /** Settles when every flush that was begun has ended. */
  #flushed: Promise<void> = Promise.resolve();

  constructor(sink: UsageSink, source: UsageSource, pace: Pace = new Pace()) {
    this.#sink = sink;
    this.#source = source;
    this.#pace = pace;
  }

  /** How many secrets have uses that are not written, for the metrics. One that is held and used again counts twice. */
  get pending(): number {
    const { pending: held, tables } = this.#source;
    return tables.reduce((sum, { pending }) => sum + pending, held.size);
  }

  /** What of a key is in no database yet. */
  of(keyId: string): readonly SecretCounts[] {
    const { pending: held, tables } = this.#source;
    return [...held.of(keyId), ...tables.flatMap((table) => table.usesOf(keyId))];
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
    // First, so that the tables' lists of rows stay short also while nothing can be written.
    await this.#takeOver();
    if (this.#unsettled.length > 0) await this.#write(this.#unsettled, false);
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
    const { pending: held } = this.#source;
    let count = 0;
    this.#unsettled = counts;
    held.freeze(counts);
    const written = (told: number) => {
      count = told;
      this.#unsettled = [];
      held.freeze([]);
      held.remove(counts.slice(0, told));
    };
    await this.#pace.step(() => this.#sink.write(counts, durable, written));
    return count;
  }

  /** Holds what the tables have at the moment. What is counted meanwhile waits, or this might never end. */
  async #takeOver(): Promise<void> {
    for (const table of this.#source.tables) {
      const rows = table.countedRows().values();
      for (let some = take(rows, mostATurn); some.length > 0; some = take(rows, mostATurn)) {
        for (const row of some) table.hold(row);
        await turn();
      }
    }
  }

  /** All that is held, as sorted lists. What comes meanwhile waits for the next flush. */
  async #sorted(): Promise<SecretCounts[][]> {
    const lists: SecretCounts[][] = [];
    const all = this.#source.pending.byKey();
    for (let left = this.#source.pending.size; left > 0; left -= mostATurn) {
      lists.push(take(all, Math.min(left, mostATurn)).flat().sort(inOrderOfTable));
      await turn();
    }
    return lists;
  }
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
