import { setImmediate as turn } from 'node:timers/promises';
import { chunk } from '../chunk.ts';
import type { UsageSource } from './counting-table.ts';
import { allKeys, type KeyIdRange, nextRange } from './key-range.ts';
import type { LogBatch } from './log-format.ts';
import { mergeSorted } from './merge.ts';
import { Pacer } from './pacer.ts';
import { compareCounts, type PendingUses, type SecretCounts } from './pending-uses.ts';

/** Stores usage. */
export interface UsageSink {
  /**
   * Writes counts in one transaction: at least the first, then as many as fit into a short time. Calls `written` once,
   * in the turn in which the counts are known to be committed. If it rejects without that call, it is unknown whether
   * they are committed, and the caller passes the same counts again.
   *
   * @param durable whether this and all earlier writes must survive a power failure
   * @param written receives the number of counts that were written
   */
  write(
    counts: readonly Readonly<SecretCounts>[],
    durable: boolean,
    written: (count: number) => void,
  ): Promise<void>;
}

/** Preserves uses across a crash until the sink has written them. Appending to it is cheaper than writing. */
export interface UsageLog {
  /**
   * Appends counts in one transaction.
   *
   * @param read returns what to append. It is called in the turn of the commit
   * @param durable whether this and all earlier appends must survive a power failure
   * @param logged called in the turn of the commit
   */
  append(read: () => LogBatch, durable: boolean, logged: () => void): Promise<void>;
  /**
   * Separates the pending counts of the chosen keys, which are written next, from those that are appended later. Appends
   * everything that is still unlogged and closes the chosen counts in one transaction. Before the call, no table may
   * contain counts of these keys that are in the log.
   */
  cut(pending: PendingUses, keys: KeyIdRange): Promise<void>;
  /** The number of the newest row of the log. Each append and each cut adds one row. */
  readonly end: number;
  /**
   * Deletes part of what was appended up to a row. Call it when all counts up to it are written.
   *
   * @returns whether more is left
   */
  trim(until: number): Promise<boolean>;
}

/** Number of rows or keys that are processed in one turn of the event loop: about a millisecond of work. */
const maxPerTurn = 1000;

/** Maximum number of rows per append: a transaction of about a millisecond. */
const maxRowsPerAppend = 500;

/** Maximum number of pending counts per append: a few ms, even if each count has a different client. */
const maxPerAppend = 200;

/**
 * For how long a save pauses between its appends, in ms from its start. After that it appends the rest without pauses,
 * because a crash loses what is not appended.
 */
const pacedSaveMs = 1000;

/** Maximum number of counts that a cut should append. */
const maxPerCut = 1000;

/** Maximum number of extra saves before a cut. On a slow disk, as much may be counted during a save as it appends. */
const maxExtraSaves = 5;

/** Maximum number of counts that are passed to the sink at once. */
const maxPerWrite = 500;

/**
 * Number of secrets whose counts a pass of a flush takes from the tables. A pass creates an object of about 300 bytes
 * for each, and the process keeps much of that memory. Smaller passes would cut the log more often.
 */
const secretsPerPass = 50_000;

/** Number of keys per pass that are sampled, to find the end of its range. */
const sampledPerPass = 50;

/**
 * Takes the usage counts of secrets from verification and writes them to the database.
 *
 * Why no use is lost or counted twice, although nothing is locked: JavaScript runs one turn at a time, and counts are
 * in one of two places. Verification counts in its tables. Counts that leave a table become pending in the same turn,
 * until the turn in which they are known to be committed. While it is unknown whether counts are committed, those same
 * counts are written again, and nothing else.
 *
 * With a log, a flush can be rare: a crash loses only what was counted since the last `save`. A save leaves counts where
 * they are, and appends what was counted since it was last appended. A flush has passes, each for a range of keys. A pass
 * makes all counts of these keys pending before its cut, so that the log contains counts of the tables only after the cut.
 *
 * While writes succeed, counts outside the tables are those of one pass, of evicted secrets, and of an hour that has ended.
 * Memory never grows with the number of uses.
 */
export class UsageRecorder {
  readonly #sink: UsageSink;
  readonly #source: UsageSource;
  readonly #pacer: Pacer;
  readonly #log: UsageLog | undefined;
  /** Counts that were passed to the sink and are not known to be committed. */
  #unconfirmed: readonly SecretCounts[] = [];
  /** Settles when all flushes that were started have ended. */
  #flushed: Promise<void> = Promise.resolve();
  /** Settles when all saves that were started have ended. */
  #saved: Promise<unknown> = Promise.resolve();
  readonly #perPass: number;

  /** @param perPass number of secrets that a pass of a flush takes from the tables */
  constructor(
    sink: UsageSink,
    source: UsageSource,
    pacer: Pacer = new Pacer(),
    log?: UsageLog,
    perPass: number = secretsPerPass,
  ) {
    this.#perPass = perPass;
    this.#sink = sink;
    this.#source = source;
    this.#pacer = pacer;
    this.#log = log;
    source.pending.hasLog = log !== undefined;
  }

  /** Number of secrets with uses that a crash would lose, for the metrics. A secret may be counted twice. */
  get unsaved(): number {
    if (this.#log === undefined) return this.unwritten;
    const { pending, tables } = this.#source;
    return tables.reduce((sum, table) => sum + table.unloggedRows, pending.unloggedSize);
  }

  /** Number of secrets with uses that are not written. A secret may be counted twice. */
  get unwritten(): number {
    const { pending, tables } = this.#source;
    return tables.reduce((sum, table) => sum + table.countedRows, pending.size);
  }

  /** The counts of a key that are not in the database yet. */
  of(keyId: string): readonly SecretCounts[] {
    const { pending, tables } = this.#source;
    return [...pending.of(keyId), ...tables.flatMap((table) => table.usesOf(keyId))];
  }

  /** The counts of a workspace that are not in the database yet. */
  ofWorkspace(workspaceId: string): readonly SecretCounts[] {
    const { pending, tables } = this.#source;
    return [
      ...pending.ofWorkspace(workspaceId),
      ...tables.flatMap((table) => table.usesOfWorkspace(workspaceId)),
    ];
  }

  /**
   * Appends everything that was counted before the call to the log, in batches, at the given pace.
   *
   * @throws the error of the log; counts that were not appended remain for the next call
   */
  save(): Promise<void> {
    return this.#afterSaves(() => this.#save());
  }

  /**
   * Writes everything that was counted before the call, in batches, at the given pace.
   *
   * @throws the error of the log or the sink; counts that were not written remain for the next flush
   */
  flush(): Promise<void> {
    const flush = this.#flushed.then(() => this.#flush());
    this.#flushed = flush.catch(() => undefined);
    return flush;
  }

  #afterSaves<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#saved.then(work);
    this.#saved = result.catch(() => undefined);
    return result;
  }

  async #save(): Promise<void> {
    if (this.#log === undefined) return;
    const restUntil = performance.now() + pacedSaveMs;
    const { pending, tables } = this.#source;
    // Later changes wait for the next call; otherwise this might never end.
    const changed = tables.map((table) => ({ table, rows: table.takeChanged() }));
    const parts = changed.flatMap(({ table, rows }) =>
      chunk(rows, maxRowsPerAppend).map((some) => ({ table, rows: some })),
    );
    try {
      for (const [i, { table, rows }] of parts.entries()) {
        const isLast = i === parts.length - 1 && pending.unloggedSize === 0;
        const read = () => {
          table.moveRejectionsToPending(rows);
          return { packed: table.pack(rows) };
        };
        await this.#append(read, isLast, () => table.setLogged(rows), restUntil);
      }
    } catch (error) {
      for (const { table, rows } of changed) table.relist(rows);
      throw error;
    }
    await this.#saveUnlogged(restUntil);
  }

  /** Appends the pending counts that are not in the log. */
  async #saveUnlogged(restUntil: number): Promise<void> {
    const { pending } = this.#source;
    const parts = chunk(pending.unlogged, maxPerAppend);
    for (const [i, counts] of parts.entries()) {
      const isLast = i === parts.length - 1;
      await this.#append(
        () => ({ counts }),
        isLast,
        () => pending.setLogged(counts),
        restUntil,
      );
    }
  }

  #append(read: () => LogBatch, durable: boolean, logged: () => void, restUntil: number): Promise<void> {
    return this.#pacer.step(async () => this.#log?.append(read, durable, logged), restUntil);
  }

  async #flush(): Promise<void> {
    // First, what an earlier flush could not write.
    await this.#writeClosed();
    let written: number | undefined;
    let { after } = allKeys;
    while (after !== allKeys.until) {
      const keys = this.#nextRange(after);
      const cut = await this.#afterSaves(() => this.#close(keys));
      // Later passes may write more of the log, but only of their keys.
      written ??= cut;
      await this.#writeClosed();
      after = keys.until;
    }
    const log = this.#log;
    if (log === undefined || written === undefined) return;
    // If nothing was counted meanwhile, as at a stop, the log becomes empty.
    const until = this.unwritten === 0 ? log.end : written;
    while (await this.#pacer.step(() => log.trim(until)));
  }

  /** The keys of the next pass. @param after end of the previous one */
  #nextRange(after: string): KeyIdRange {
    const { pending, tables } = this.#source;
    const every = Math.ceil(this.#perPass / sampledPerPass);
    const sample = [...pending.sampleKeys(every), ...tables.flatMap((table) => table.sampleKeys(every))];
    return nextRange(after, sample, Math.round(this.#perPass / every));
  }

  /**
   * Moves all counts of these keys to the pending ones and closes them. Must not run at the same time as a save, which
   * could append counts before the cut that stay in the tables.
   *
   * @returns the newest row of the log; up to there, it has no counts of these keys that are not closed or written
   */
  async #close(keys: KeyIdRange): Promise<number | undefined> {
    // Appending packed rows is cheaper than appending the pending counts that they become.
    await this.#save();
    const { pending } = this.#source;
    const chosen = pending.choose(keys);
    while (take(chosen, maxPerTurn).length > 0) await turn();
    await this.#takeOver(keys);
    if (this.#log === undefined) {
      pending.close();
      return undefined;
    }
    const restUntil = performance.now() + pacedSaveMs;
    // The cut appends the rest in one transaction, so the rest should be small. It can be large after the turn of an
    // hour.
    for (let extra = 0; extra < maxExtraSaves && pending.unloggedSize > maxPerCut; extra++) {
      await this.#saveUnlogged(restUntil);
    }
    if (pending.hasChosen) await this.#log.cut(pending, keys);
    return this.#log.end;
  }

  /** Writes the closed counts. */
  async #writeClosed(): Promise<void> {
    if (this.#unconfirmed.length > 0) await this.#write(this.#unconfirmed, false);
    const used = mergeSorted(await this.#sorted(), compareCounts);
    let batch = take(used, maxPerWrite);
    while (batch.length > 0) {
      // A batch that is not full is the last one. It is durable, and with it the whole flush.
      const count = await this.#write(batch, batch.length < maxPerWrite);
      batch = [...batch.slice(count), ...take(used, count)];
    }
  }

  /** @returns the number of counts that were written */
  async #write(counts: readonly SecretCounts[], durable: boolean): Promise<number> {
    let count = 0;
    this.#unconfirmed = counts;
    const written = (number: number) => {
      count = number;
      this.#unconfirmed = [];
      this.#source.pending.remove(counts.slice(0, number));
    };
    await this.#pacer.step(() => this.#sink.write(counts, durable, written));
    return count;
  }

  /**
   * Moves the counts of keys from the tables to the pending ones. Later counts wait for the next call; otherwise this
   * might never end.
   */
  async #takeOver(keys: KeyIdRange): Promise<void> {
    for (const table of this.#source.tables) {
      const rows = table.moveAllToPending(keys);
      while (take(rows, maxPerTurn).length > 0) await turn();
    }
  }

  /** The closed counts, as sorted lists. */
  async #sorted(): Promise<SecretCounts[][]> {
    const lists: SecretCounts[][] = [];
    const closed = this.#source.pending.closed();
    for (let some = take(closed, maxPerTurn); some.length > 0; some = take(closed, maxPerTurn)) {
      lists.push(some.flat().sort(compareCounts));
      await turn();
    }
    return lists;
  }
}

/** Takes the next entries from an iterator, at most `most`. */
function take<T>(from: Iterator<T>, most: number): T[] {
  const taken: T[] = [];
  while (taken.length < most) {
    const next = from.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
}
