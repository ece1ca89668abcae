import { setImmediate as turn } from 'node:timers/promises';
import { hourOf } from './hours.ts';
import { mergeSorted } from './merge.ts';
import { Pace } from './pace.ts';

/**
 * What a secret was used for in one hour, as far as it is not written yet. The verification holds one beside each
 * secret that it has cached, and counts in it without a call.
 */
export interface SecretUsage {
  /** Since the last write. */
  accepted: number;
  /** Since the last write. */
  refused: number;
  /** Epoch hours. In another hour, another one is opened. */
  readonly hour: number;
  /**
   * ms from the start of the hour to the last accepted use in it; -1 is none. Stays when it is written, as do the next
   * two. (Not epoch ms, which V8 keeps in an object of its own, one more to be fetched.)
   */
  lastMs: number;
  /** Of the last accepted use. */
  address: string;
  /** Of the last accepted use, as the client sent it. */
  agent: string;
  /** Whether the recorder has let go of it: what is counted here from then on is lost, so another one is opened. */
  closed: boolean;
}

/** The same, and whose it is. */
export interface OpenUsage extends SecretUsage {
  readonly keyId: string;
  /** SHA-256 of the key, as 32 latin-1 characters. */
  readonly hash: string;
  /** What was written as the last use of this hour, besides its time. */
  told: { address: string; agent: string } | undefined;
}

/** The counts of one of them at one moment. */
export type Counts = Readonly<Omit<OpenUsage, 'closed'>>;

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
  write(counts: readonly Counts[], durable: boolean, written: (count: number) => void): Promise<void>;
}

/** What is being written of one. */
interface Writing {
  usage: OpenUsage;
  counts: Counts;
}

/** How many keys a flush looks at, and sorts, in one turn of the event loop: less than a millisecond of work. */
const keysATurn = 1000;

/** Most that are handed to the sink at once. */
const mostAtOnce = 500;

/**
 * Counts the uses of secrets in memory, and hands the counts to the sink.
 *
 * Why no use is lost or counted twice, although nothing is locked: JavaScript runs one turn at a time, and the
 * verification opens and counts in one turn. A flush copies the counts, and subtracts the copy when it is committed,
 * so what is counted in between stays; and if the commit fails, all of it is still there. As long as it is not known
 * whether a copy is committed, the same copy is written again, and nothing else. An object is closed only in a turn
 * that found or left its counts at zero, and the verification looks at `closed` in the turn in which it counts.
 *
 * Memory grows with the secrets that were used since the flush before, not with those that exist.
 */
export class UsageRecorder {
  readonly #sink: UsageSink;
  readonly #now: () => number;
  readonly #pace: Pace;
  /** Everything that is open, by key: mostly one; more with several secrets, or when an hour has just ended. */
  readonly #open = new Map<string, OpenUsage[]>();
  #pending = 0;
  /** What was handed to the sink, and is not known to be committed. */
  #unsettled: readonly Writing[] = [];
  /** Settles when every flush that was begun has ended. */
  #flushed: Promise<void> = Promise.resolve();

  /** @param now epoch ms */
  constructor(sink: UsageSink, now: () => number, pace: Pace = new Pace()) {
    this.#sink = sink;
    this.#pace = pace;
    this.#now = now;
  }

  /** How many objects are open, for the metrics. */
  get pending(): number {
    return this.#pending;
  }

  /**
   * Where the uses of a secret in the present hour are counted; the same object until it is closed.
   *
   * @param hash SHA-256 of the key, as 32 latin-1 characters
   * @param now epoch ms
   */
  open(keyId: string, hash: string, now: number): SecretUsage {
    const hour = hourOf(now);
    const own = this.#open.get(keyId);
    const known = own?.find((usage) => usage.hour === hour && usage.hash === hash);
    if (known !== undefined) return known;
    const opened = {
      accepted: 0,
      refused: 0,
      hour,
      lastMs: -1,
      address: '',
      agent: '',
      closed: false,
      keyId,
      hash,
      told: undefined,
    };
    if (own === undefined) this.#open.set(keyId, [opened]);
    else own.push(opened);
    this.#pending += 1;
    return opened;
  }

  /** What of a key is open. Its counts are those that are in no database yet. */
  of(keyId: string): readonly OpenUsage[] {
    return this.#open.get(keyId) ?? [];
  }

  /**
   * Writes everything that was counted before the call, in slices and at the pace, and closes what was not used since
   * the flush before.
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
    const used = mergeSorted(await this.#collect(), inOrderOfTable);
    let batch = take(used, mostAtOnce);
    while (batch.length > 0) {
      // A batch that is not full is the last one: with it the whole flush is on the disk.
      const count = await this.#write(batch.map(copy), batch.length < mostAtOnce);
      batch = [...batch.slice(count), ...take(used, count)];
    }
  }

  /** @returns how many of them were written */
  async #write(writing: readonly Writing[], durable: boolean): Promise<number> {
    let count = 0;
    this.#unsettled = writing;
    const written = (told: number) => {
      count = told;
      this.#unsettled = [];
      this.#settle(writing.slice(0, told));
    };
    const counts = writing.map((each) => each.counts);
    await this.#pace.step(() => this.#sink.write(counts, durable, written));
    return count;
  }

  /**
   * What there is to write, as sorted lists. What is idle is closed.
   * Keys that are opened meanwhile come last, and wait for the next flush: else this one might never end.
   */
  async #collect(): Promise<OpenUsage[][]> {
    const lists: OpenUsage[][] = [];
    const keys = this.#open.keys();
    for (let left = this.#open.size; left > 0; left -= keysATurn) {
      const used: OpenUsage[] = [];
      for (const keyId of take(keys, Math.min(left, keysATurn))) {
        for (const usage of this.of(keyId)) {
          if (usage.accepted + usage.refused > 0) used.push(usage);
          else this.#close(usage);
        }
      }
      lists.push(used.sort(inOrderOfTable));
      await turn();
    }
    return lists;
  }

  /** Called in the turn of the commit. An hour that is not the present one has ended, or the clock was set. */
  #settle(written: readonly Writing[]): void {
    const hour = hourOf(this.#now());
    for (const { usage, counts } of written) {
      if (counts.accepted > 0) usage.told = { address: counts.address, agent: counts.agent };
      usage.accepted -= counts.accepted;
      usage.refused -= counts.refused;
      if (usage.hour !== hour && usage.accepted + usage.refused === 0) this.#close(usage);
    }
  }

  #close(usage: OpenUsage): void {
    usage.closed = true;
    this.#pending -= 1;
    const rest = this.of(usage.keyId).filter((other) => other !== usage);
    if (rest.length === 0) this.#open.delete(usage.keyId);
    else this.#open.set(usage.keyId, rest);
  }
}

function copy(usage: OpenUsage): Writing {
  const { closed, ...counts } = usage;
  return { usage, counts };
}

function inOrderOfTable(a: OpenUsage, b: OpenUsage): number {
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
