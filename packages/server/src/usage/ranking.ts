import { setImmediate as turn } from 'node:timers/promises';
import { hourStart } from './hours.ts';
import type { UsageReader } from './reader.ts';

/** A key and the five minutes of its last use. */
interface UsedKey {
  id: string;
  /** Epoch ms. */
  usedAt: number;
}

/** The keys of a workspace that were used since a time, in the order of their last use. */
export type UsedSince = (
  workspaceId: string,
  since: number,
  page: { after: UsedKey | undefined; limit: number },
) => Promise<UsedKey[]>;

/** All keys of a workspace that were used since a time, page by page, each in a turn of its own. */
export async function* pagesOf(
  usedSince: UsedSince,
  workspaceId: string,
  since: number,
  limit: number,
): AsyncGenerator<UsedKey[], void> {
  let after: UsedKey | undefined;
  for (;;) {
    const used = await usedSince(workspaceId, since, { after, limit });
    yield used;
    if (used.length < limit) return;
    after = used.at(-1);
    await turn();
  }
}

/** Key ids, in rank order. */
interface Ranking {
  busiest: string[];
  mostRefused: string[];
}

/** Number of keys whose 24 hours are read at once. With SQLite, this blocks verification for a few ms. */
const keysPerRead = 200;

/**
 * A ranking is reused for this many times as long as it took to compute. So ranking a workspace with very many keys
 * takes at most a twentieth of the time, however often it is requested.
 */
const reuse = 20;

/** ms. A ranking that took less time is not cached. */
const quick = 100;

/** Maximum number of workspaces with a cached ranking. */
const maxKept = 100;

/** Finds the keys of a workspace with the most requests, for the overview. DayRankings ranks all keys, for lists. */
export class KeyRanking {
  readonly #reader: UsageReader;
  readonly #usedSince: UsedSince;
  readonly #length: number;
  /** By workspace. */
  readonly #kept = new Map<string, { from: number; until: number; ranking: Promise<Ranking> }>();

  /** @param length number of keys in a ranking */
  constructor(reader: UsageReader, usedSince: UsedSince, length: number) {
    this.#reader = reader;
    this.#usedSince = usedSince;
    this.#length = length;
  }

  /**
   * @param from epoch hours
   * @param to epoch hours; not included
   */
  of(workspaceId: string, from: number, to: number): Promise<Ranking> {
    const kept = this.#kept.get(workspaceId);
    if (kept !== undefined && kept.from === from && performance.now() < kept.until) return kept.ranking;
    const begun = performance.now();
    const ranking = this.#rank(workspaceId, from, to);
    const entry = { from, until: Number.POSITIVE_INFINITY, ranking };
    this.#keep(workspaceId, entry);
    ranking.then(
      () => {
        const duration = performance.now() - begun;
        entry.until = duration < quick ? 0 : performance.now() + duration * reuse;
      },
      () => {
        entry.until = 0;
      },
    );
    return ranking;
  }

  /** Concurrent requests share one ranking. */
  #keep(workspaceId: string, entry: { from: number; until: number; ranking: Promise<Ranking> }): void {
    this.#kept.delete(workspaceId);
    this.#kept.set(workspaceId, entry);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > maxKept && oldest !== undefined) this.#kept.delete(oldest);
  }

  async #rank(workspaceId: string, from: number, to: number): Promise<Ranking> {
    const busiest = await this.#rankAccepted(workspaceId, from, to);
    return { busiest, mostRefused: await this.#rankRejected(workspaceId, from, to) };
  }

  async #rankAccepted(workspaceId: string, from: number, to: number): Promise<string[]> {
    const top = new TopKeys(this.#length);
    for await (const used of pagesOf(this.#usedSince, workspaceId, hourStart(from), keysPerRead)) {
      const ids = used.map(({ id }) => id);
      for (const [id, { accepted }] of await this.#reader.counts(ids, from, to)) top.add(id, accepted);
    }
    return top.ids;
  }

  async #rankRejected(workspaceId: string, from: number, to: number): Promise<string[]> {
    const refused = this.#reader.openRejections(workspaceId, from, to);
    for (let hour = from; hour < to; hour++) {
      let after = '';
      for (;;) {
        const keys = await this.#reader.rejectedKeys(workspaceId, hour, { after, limit: keysPerRead });
        for (const { keyId, requests } of keys) refused.set(keyId, (refused.get(keyId) ?? 0) + requests);
        if (keys.length < keysPerRead) break;
        after = keys.at(-1)?.keyId ?? after;
        await turn();
      }
    }
    const top = new TopKeys(this.#length);
    for (const [id, requests] of refused) top.add(id, requests);
    return top.ids;
  }
}

/** The keys with the most requests. */
class TopKeys {
  readonly #length: number;
  /** Most requests first. */
  #keys: { id: string; requests: number }[] = [];

  constructor(length: number) {
    this.#length = length;
  }

  get ids(): string[] {
    return this.#keys.map(({ id }) => id);
  }

  /** A key that moved while the keys were read can be added again. */
  add(id: string, requests: number): void {
    const least = this.#keys.at(-1)?.requests ?? 0;
    if (requests === 0 || (this.#keys.length === this.#length && requests <= least)) return;
    this.#keys = [...this.#keys.filter((key) => key.id !== id), { id, requests }]
      .sort((a, b) => b.requests - a.requests || (a.id < b.id ? -1 : 1))
      .slice(0, this.#length);
  }
}
