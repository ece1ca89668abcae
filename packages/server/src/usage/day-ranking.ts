import { setImmediate as turn } from 'node:timers/promises';
import { chunk } from '../chunk.ts';
import { hourOf, hourStart, lastUseStepMs } from './hours.ts';
import { pagesOf, type UsedSince } from './ranking.ts';
import type { UsageReader } from './reader.ts';

/** The accepted requests of each key of a workspace that was used in the last 24 hours, counted at one time. */
export interface DayRanking {
  /** When they were counted, in epoch ms. */
  at: number;
  /** By key ID. */
  counts: ReadonlyMap<string, number>;
}

/** The hours of a day, including the current one. */
const dayHours = 24;

/** Number of keys that are found by one statement. */
const keysPerPage = 5000;

/** As in KeyRanking: a ranking is reused for this many times as long as it took to compute. */
const reuse = 20;
/**
 * Number of keys. A ranking with no more is not reused for other first pages. 20,000 keys in use take 50 to 90 ms with
 * SQLite.
 */
const few = 5000;

/**
 * ms. A ranking up to this age is returned at once, and if it is no longer current, the next one is computed meanwhile.
 */
const maxAge = 60_000;

/** Maximum number of keys in all kept rankings, about 200 bytes each. A single ranking may have more. */
const maxKept = 400_000;

/** Number of rankings that are kept, so that the pages of many readers have a stable order. */
const maxRankings = 200;

interface KeptRanking extends DayRanking {
  workspaceId: string;
  /** Until when it is current, in epoch ms. */
  until: number;
}

/** @returns when the 24 hours of a ranking began, in epoch ms */
export function dayStartOf(at: number): number {
  return hourStart(hourOf(at) + 1 - dayHours);
}

/**
 * Ranks all keys of workspaces by their accepted requests in the last 24 hours, for lists. Rankings are in memory and
 * kept for a while, so that the pages of a list are parts of one ranking.
 */
export class DayRankings {
  readonly #reader: UsageReader;
  readonly #usedSince: UsedSince;
  readonly #now: () => number;
  readonly #keysPerRead: number;
  readonly #few: number;
  /** In the order of their last use. */
  #kept: KeptRanking[] = [];
  /** Rankings that are being counted: the current one of a workspace, or that of a workspace and time. */
  readonly #pending = new Map<string, Promise<KeptRanking>>();

  /**
   * @param now epoch ms
   * @param keysPerRead number of keys whose 24 hours are read at once. With SQLite, such a read blocks verification.
   * @param most number of keys. A ranking with no more is counted again for each first page
   */
  constructor(
    reader: UsageReader,
    usedSince: UsedSince,
    now: () => number,
    keysPerRead: number,
    most: number = few,
  ) {
    this.#reader = reader;
    this.#usedSince = usedSince;
    this.#now = now;
    this.#keysPerRead = keysPerRead;
    this.#few = most;
  }

  /** The ranking for a first page. */
  async current(workspaceId: string): Promise<DayRanking> {
    const now = this.#now();
    const newest = this.#newest(workspaceId);
    if (newest === undefined || now - newest.at > maxAge) return this.#refresh(workspaceId);
    if (now >= newest.until) {
      const refreshed = this.#refresh(workspaceId);
      const isSmall = newest.until === newest.at;
      if (isSmall) return refreshed;
      // The next first page tries again.
      refreshed.catch(() => undefined);
    }
    return this.#complete(newest);
  }

  /**
   * The ranking of an earlier page. If it is not kept here, the requests of the same 24 hours are counted again, so keys
   * that were used in between may move.
   */
  async at(workspaceId: string, at: number): Promise<DayRanking> {
    const kept = this.#kept.find((ranking) => ranking.workspaceId === workspaceId && ranking.at === at);
    if (kept !== undefined) return this.#keep(kept);
    return this.#share(`${workspaceId} ${at}`, async () => {
      const counts = await this.#count(workspaceId, at);
      return this.#keep({ workspaceId, at, until: at, counts });
    });
  }

  #newest(workspaceId: string): KeptRanking | undefined {
    let newest: KeptRanking | undefined;
    for (const kept of this.#kept) {
      if (kept.workspaceId === workspaceId && kept.at > (newest?.at ?? 0)) newest = kept;
    }
    return newest;
  }

  #refresh(workspaceId: string): Promise<KeptRanking> {
    return this.#share(workspaceId, () => this.#rank(workspaceId));
  }

  /** Concurrent requests share one ranking. */
  #share(name: string, count: () => Promise<KeptRanking>): Promise<KeptRanking> {
    const pending = this.#pending.get(name);
    if (pending !== undefined) return pending;
    const ranking = count().finally(() => this.#pending.delete(name));
    this.#pending.set(name, ranking);
    return ranking;
  }

  async #rank(workspaceId: string): Promise<KeptRanking> {
    const at = this.#now();
    const begun = performance.now();
    const counts = await this.#count(workspaceId, at);
    const duration = performance.now() - begun;
    return this.#keep({
      workspaceId,
      at,
      until: counts.size <= this.#few ? at : Math.round(at + duration * reuse),
      counts,
    });
  }

  /** Adds the keys that were first used after a ranking was counted, as keys without requests: every key is in the list. */
  async #complete(ranking: KeptRanking): Promise<KeptRanking> {
    const { workspaceId, at, counts } = ranking;
    const added = (await this.#used(workspaceId, at - lastUseStepMs)).filter((id) => !counts.has(id));
    if (added.length === 0) return this.#keep(ranking);
    return this.#keep({ ...ranking, counts: new Map([...counts, ...added.map((id) => [id, 0] as const)]) });
  }

  #keep(ranking: KeptRanking): KeptRanking {
    const { workspaceId, at } = ranking;
    const others = this.#kept.filter((kept) => kept.workspaceId !== workspaceId || kept.at !== at);
    const kept = [...others, ranking];
    let size = kept.reduce((sum, { counts }) => sum + counts.size, 0);
    while (kept.length > 1 && (size > maxKept || kept.length > maxRankings)) {
      size -= kept.shift()?.counts.size ?? 0;
    }
    this.#kept = kept;
    return ranking;
  }

  async #count(workspaceId: string, at: number): Promise<Map<string, number>> {
    const ids = await this.#used(workspaceId, dayStartOf(at));
    const to = hourOf(at) + 1;
    const counts = new Map<string, number>();
    for (const slice of chunk(ids, this.#keysPerRead)) {
      for (const [id, accepted] of await this.#reader.acceptedOf(slice, to - dayHours, to)) {
        counts.set(id, accepted);
      }
      await turn();
    }
    return counts;
  }

  /** The ids of the used keys, sorted, so that a slice of them is a range with few other keys. */
  async #used(workspaceId: string, since: number): Promise<string[]> {
    const ids = new Set<string>();
    for await (const used of pagesOf(this.#usedSince, workspaceId, since, keysPerPage)) {
      for (const { id } of used) ids.add(id);
    }
    return [...ids].sort();
  }
}
