import { msPerDay } from '@soku/contract/instant';
import type { ListKeys } from '@soku/contract/key-requests';
import {
  defaultOrders,
  type Key,
  type KeyList,
  type KeySort,
  type ListedKey,
  type RecentUsage,
  type SortOrder,
  type StatusFilter,
} from '@soku/contract/keys';
import type { DayRanking, DayRankings } from '../usage/day-ranking.ts';
import { lastUseStepMs } from '../usage/hours.ts';
import { ListCursors } from './list-cursors.ts';
import type { KeyFilter } from './list-filter.ts';
import { rankedPhase } from './list-ranked.ts';
import type { KeyListReader } from './list-reader.ts';
import { presentKey, type SecretUse } from './present.ts';
import { readSearch } from './search-text.ts';
import type { KeyStore } from './store.ts';

/** What lists need from usage. */
interface ListUsage {
  /** The last use of each secret of these keys that was ever accepted, by key. */
  lastUses(keyIds: readonly string[]): Promise<ReadonlyMap<string, readonly SecretUse[]>>;
  /** The requests with each of the keys in the last 24 hours. */
  recent(keyIds: readonly string[]): Promise<ReadonlyMap<string, RecentUsage>>;
  /** Writes the last uses of a workspace to the database. */
  writeLastUses(workspaceId: string): Promise<void>;
  rankings: Pick<DayRankings, 'current' | 'at'>;
}

interface Options {
  usage: ListUsage;
  /** Authenticates cursors; the same on all servers. */
  secret: string;
  /** Epoch ms. */
  now: () => number;
}

/** Lists the keys of a workspace. */
export class KeyListService {
  readonly #store: KeyStore;
  readonly #reader: KeyListReader;
  readonly #cursors: ListCursors;
  readonly #options: Options;

  constructor(store: KeyStore, reader: KeyListReader, options: Options) {
    this.#store = store;
    this.#reader = reader;
    this.#cursors = new ListCursors(options.secret);
    this.#options = options;
  }

  /**
   * One page of the keys that match.
   *
   * @throws {RequestError} invalid_request for a cursor of another list
   */
  async list(workspaceId: string, query: ListKeys): Promise<KeyList> {
    const now = this.#options.now();
    const { usage } = this.#options;
    const { sort, limit, order = defaultOrders[sort] } = query;
    const ordered = { workspaceId, sort, order };
    const start = query.cursor === undefined ? undefined : this.#cursors.read(query.cursor, ordered);
    const filter = toFilter(query, now);
    if (sort === 'lastUsed' || sort === 'usage' || filter.unusedSince !== undefined) {
      await usage.writeLastUses(workspaceId);
    }
    const isRanked = sort === 'usage' && (start === undefined || start.after.phase === rankedPhase);
    const ranking = isRanked ? await this.#rank(workspaceId, start?.since) : undefined;
    const since = start?.since ?? ranking?.at ?? startOfPages(sort, now);
    const request = { ...ordered, filter, since, ranking, after: start?.after, limit: limit + 1 };
    const places = await this.#reader.page(request);
    const page = places.slice(0, limit);
    const last = page.at(-1);
    const nextCursor =
      places.length <= limit || last === undefined
        ? null
        : this.#cursors.write({ after: last, since }, ordered);
    const ids = page.map(({ id }) => id);
    // A key whose status has changed since it was found does not belong to the list anymore.
    const keys = (await this.find(workspaceId, ids)).filter(
      ({ status }) => filter.status === 'all' || isListedAs(status, filter.status),
    );
    const data = await this.#complete(keys, { ...query, order });
    if (!includes(query, 'counts')) return { data, nextCursor };
    return { data, nextCursor, counts: await this.#reader.count(workspaceId, filter) };
  }

  /** The keys with these ids that belong to the workspace, in the given order. */
  async find(workspaceId: string, ids: readonly string[]): Promise<Key[]> {
    if (ids.length === 0) return [];
    const [rows, secrets, uses] = await Promise.all([
      this.#store.findAll(workspaceId, ids),
      this.#store.secretsOf(ids),
      this.#options.usage.lastUses(ids),
    ]);
    const byId = new Map(rows.map((row) => [row.id, row]));
    const now = this.#options.now();
    return ids.flatMap((id) => {
      const row = byId.get(id);
      if (row === undefined) return [];
      return presentKey({ row, secrets: secrets.get(id) ?? [], uses: uses.get(id) ?? [] }, now);
    });
  }

  async #rank(workspaceId: string, at: number | undefined): Promise<DayRanking> {
    const { rankings } = this.#options.usage;
    return at === undefined ? rankings.current(workspaceId) : rankings.at(workspaceId, at);
  }

  /** Sorts the keys of a page by what it shows, and adds their usage. */
  async #complete(keys: readonly Key[], query: ListKeys & { order: SortOrder }): Promise<ListedKey[]> {
    const { sort, order } = query;
    if (sort === 'lastUsed') return this.#addUsage(byLastUse(keys, order), query);
    if (sort !== 'usage') return this.#addUsage(keys, query);
    const sorted = byUsage(await this.#addUsage(keys, { include: 'usage' }), order);
    return includes(query, 'usage') ? sorted : sorted.map(({ usage: _, ...key }) => key);
  }

  async #addUsage(keys: readonly Key[], query: Pick<ListKeys, 'include'>): Promise<ListedKey[]> {
    if (!includes(query, 'usage')) return [...keys];
    const recent = await this.#options.usage.recent(keys.map(({ id }) => id));
    return keys.map((key) => ({ ...key, usage: recent.get(key.id) ?? { accepted: 0, refused: 0 } }));
  }
}

function isListedAs(status: Key['status'], filter: StatusFilter): boolean {
  return status === filter || (status === 'disabled' && filter === 'active');
}

/**
 * The time that all pages of a list depend on, in epoch ms. It is 0 if they depend on none, so that equal pages have
 * equal cursors.
 */
function startOfPages(sort: KeySort, now: number): number {
  if (sort === 'lastUsed') return now - (now % lastUseStepMs);
  return sort === 'status' ? now : 0;
}

function includes({ include }: Pick<ListKeys, 'include'>, part: 'counts' | 'usage'): boolean {
  return include?.split(',').includes(part) === true;
}

/** @param now epoch ms */
function toFilter(query: ListKeys, now: number): KeyFilter {
  const { createdBy, scope, environment, externalId, unusedDays, expiresWithinDays } = query;
  const hash = query.hash === undefined ? undefined : Buffer.from(query.hash, 'hex');
  const text = query.q?.trim() ?? '';
  return {
    status: query.status ?? (hash === undefined ? 'active' : 'all'),
    search: text === '' ? undefined : readSearch(text),
    ...{ hash, createdBy, scope, environment, externalId, now },
    isRotating: query.rotating !== undefined,
    unusedSince: unusedDays === undefined ? undefined : now - unusedDays * msPerDay,
    expiresUntil: expiresWithinDays === undefined ? undefined : now + expiresWithinDays * msPerDay,
  };
}

/** Sorts a page by the exact times of the last uses. The database sorts only by their steps of five minutes. */
function byLastUse(keys: readonly Key[], order: SortOrder): Key[] {
  const sign = order === 'asc' ? 1 : -1;
  return keys.toSorted((a, b) => {
    if (a.lastUsedAt === null || b.lastUsedAt === null) {
      return Number(a.lastUsedAt === null) - Number(b.lastUsedAt === null);
    }
    return sign * (Date.parse(a.lastUsedAt) - Date.parse(b.lastUsedAt));
  });
}

/** Sorts a page by the usage that it shows, which is newer than the ranking. */
function byUsage(keys: readonly ListedKey[], order: SortOrder): ListedKey[] {
  const sign = order === 'asc' ? 1 : -1;
  return keys.toSorted((a, b) => {
    const [one, other] = [a.usage?.accepted ?? 0, b.usage?.accepted ?? 0];
    return Number(one === 0) - Number(other === 0) || sign * (one - other);
  });
}
