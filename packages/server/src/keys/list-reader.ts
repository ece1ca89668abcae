import type { KeySort, SortOrder } from '@soku/contract/keys';
import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import { isPostgres } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { type DayRanking, dayStartOf } from '../usage/day-ranking.ts';
import { lastUseStepMs } from '../usage/hours.ts';
import { allOf, conditionsOf, type KeyFilter, type ResolvedFilter } from './list-filter.ts';
import { findCandidateIds, resolveSearch } from './list-narrowing.ts';
import { comparePlaces, inOrder, type KeyPlace } from './list-order.ts';
import { type Phase, phasesOf } from './list-phases.ts';
import { type KeyRange, rangesOf } from './list-ranges.ts';
import { rankedAfter, rankedPhase } from './list-ranked.ts';
import {
  countIf,
  fromTables,
  idOf,
  isInPhase,
  isInWorkspace,
  type JoinedTable,
  joinConditions,
  revokedCondition,
  valueByPhase,
} from './list-sql.ts';

export interface PageRequest {
  workspaceId: string;
  filter: KeyFilter;
  sort: KeySort;
  order: SortOrder;
  /** See phasesOf. Epoch ms. */
  since: number;
  /** For the sort `usage`: the ranking of `since`. */
  ranking?: DayRanking | undefined;
  /** The place of the last key on the previous page. */
  after: KeyPlace | undefined;
  /** Maximum number of keys. */
  limit: number;
}

/** How much is read in one way to find a page before the next way is tried. All ways find the same keys. */
export interface ListBounds {
  /** Maximum number of keys that meet one of the conditions, for them to be checked one by one. */
  narrowed: number;
  /**
   * Maximum number of keys with a preview that matches a search, for their ids to be looked up before keys are read.
   */
  resolved: number;
  /**
   * How many keys are read in the order of an index, in multiples of the limit, before all matching ones are sorted
   * instead. Reading in order is fast if many keys match, and sorting if few do.
   */
  reaches: readonly number[];
  /**
   * On SQLite, number of keys that one statement of a search through all keys reads. It blocks verification for a few
   * ms. The process can do other work between two statements.
   */
  keysPerRead: number;
}

const usualBounds: ListBounds = { narrowed: 1000, resolved: 5000, reaches: [4, 40], keysPerRead: 5000 };

type Condition = RawBuilder<SqlBool>;

/** How a statement determines which keys match. */
interface Checks {
  /** Conditions on the keys of a range, or on any keys. */
  conditions: (range?: KeyRange) => readonly Condition[];
  /** The tables that the conditions read. */
  joined: readonly JoinedTable[];
  /** The keys that can match, if they are known to be few. */
  ids: readonly string[] | undefined;
}

/** What a statement reads, and in which order. */
interface Reading extends PageRequest, Checks {
  /** The phases that may have keys of the page. */
  phases: readonly Phase[];
}

/** Finds the keys of a page. Each statement has one fast plan, whatever the statistics of the database are. */
export class KeyListReader {
  readonly #db: Kysely<Tables>;
  readonly #postgres: boolean;
  readonly #bounds: ListBounds;

  constructor(db: Kysely<Tables>, bounds: ListBounds = usualBounds) {
    this.#db = db;
    this.#postgres = isPostgres(db);
    this.#bounds = bounds;
  }

  async page(request: PageRequest): Promise<KeyPlace[]> {
    const { filter, sort, order, since, ranking, after, limit, workspaceId } = request;
    const checks = await this.#prepare(workspaceId, filter);
    const hasLater = sort === 'lastUsed' && (await this.#isUsedAfter(workspaceId, since));
    const time = { since, hasLater, status: filter.status, now: filter.now };
    const phases = phasesOf(sort, order, time, this.#postgres).filter(
      ({ number }) => number >= (after?.phase ?? 0),
    );
    const places: KeyPlace[] = [];
    let { ids } = checks;
    if (ranking !== undefined && (after?.phase ?? rankedPhase) === rankedPhase) {
      const ranked = await this.#readRanked({ ...request, ...checks, phases: [] }, ranking);
      places.push(...ranked.places);
      ids = ranked.ids;
    }
    while (phases.length > 0 && places.length < limit) {
      const reading = { ...request, ...checks, ids, limit: limit - places.length, phases };
      const found = await this.#walkPhase(reading);
      if (found === undefined) return [...places, ...(await this.#sort(reading))];
      places.push(...found);
      phases.shift();
    }
    return places;
  }

  /** Counts the keys that match, by status. The status of the filter is ignored. */
  async count(workspaceId: string, filter: KeyFilter) {
    const { now } = filter;
    const checks = await this.#prepare(workspaceId, { ...filter, status: 'all' });
    const counts = { active: 0, disabled: 0, revoked: 0, expired: 0, all: 0 };
    for await (const range of this.#ranges({ workspaceId, order: 'asc', ...checks })) {
      const { rows } = await sql<Record<'active' | 'disabled' | 'revoked' | 'expired', number>>`
        SELECT ${countIf('active', now)} AS active, ${countIf('disabled', now)} AS disabled,
          ${countIf('revoked', now)} AS revoked, ${countIf('expired', now)} AS expired
        ${this.#fromRange(workspaceId, checks, range)}`.execute(this.#db);
      const [row] = rows;
      counts.active += Number(row?.active);
      counts.disabled += Number(row?.disabled);
      counts.revoked += Number(row?.revoked);
      counts.expired += Number(row?.expired);
    }
    return { ...counts, all: counts.active + counts.revoked + counts.expired };
  }

  async #prepare(workspaceId: string, filter: KeyFilter): Promise<Checks> {
    const { narrowed } = this.#bounds;
    const resolved = await resolveSearch(this.#db, filter, this.#bounds.resolved);
    return {
      conditions: (range) => conditionsOf(inRange(resolved, range), this.#postgres),
      joined: filter.unusedSince === undefined ? [] : ['key_use'],
      ids: await findCandidateIds(this.#db, workspaceId, resolved, narrowed),
    };
  }

  async #isUsedAfter(workspaceId: string, since: number): Promise<boolean> {
    const { rows } = await sql`
      SELECT 1 FROM key_use WHERE workspace_id = ${workspaceId} AND used_at > ${since} LIMIT 1`.execute(
      this.#db,
    );
    return rows.length > 0;
  }

  /** @returns the keys of the first phase; undefined if too few match, and there may be more */
  async #walkPhase(reading: Reading): Promise<KeyPlace[] | undefined> {
    const [phase] = reading.phases;
    if (reading.ids !== undefined || phase === undefined) return undefined;
    for (const reach of this.#bounds.reaches) {
      const places = await this.#walk(reading, phase, reach * reading.limit);
      if (places !== undefined) return places;
    }
    return undefined;
  }

  /** Reads some keys in the order of the index of the phase, and then checks which of them match. */
  async #walk(reading: Reading, phase: Phase, reach: number): Promise<KeyPlace[] | undefined> {
    const { workspaceId, order, limit, after, joined, filter } = reading;
    const { table, by, number, only, walked } = phase;
    const id = idOf(table);
    const inPhase = [
      isInWorkspace(table, workspaceId),
      ...isInPhase({ ...phase, ...(walked && { only: walked }) }, id, order, after),
    ];
    // The index of revoked keys, or that of the others, applies.
    if (table === 'api_key' && by === undefined) inPhase.push(...revokedCondition(filter));
    const checks = [
      sql<SqlBool>`api_key.id = walked.id`,
      ...joinConditions(joined, workspaceId, this.#postgres),
      ...(walked !== undefined && only !== undefined ? [only] : []),
      ...reading.conditions(),
    ];
    const walk = sql`
      WITH walked AS MATERIALIZED (
        SELECT ${id} AS id, ${by ?? sql`NULL`} AS value FROM ${sql.table(table)} WHERE ${allOf(inPhase)}
        ORDER BY ${inOrder(by, id, order)} LIMIT ${reach}
      )`;
    const { rows } = await sql<Omit<KeyPlace, 'phase'> & { walked: number }>`
      ${walk}
      SELECT walked.id, walked.value, (SELECT count(*) FROM walked) AS walked
      FROM walked CROSS JOIN ${fromTables(joined)}
      WHERE ${allOf(checks)}
      ORDER BY ${inOrder(by && sql.ref('walked.value'), sql.ref('walked.id'), order)} LIMIT ${limit}`.execute(
      this.#db,
    );
    if (rows.length < limit) {
      const counted =
        rows[0] ??
        (
          await sql<{ walked: number }>`
        ${walk} SELECT count(*) AS walked FROM walked`.execute(this.#db)
        ).rows[0];
      if (Number(counted?.walked) >= reach) return undefined;
    }
    return rows.map(({ id, value }) => ({ phase: number, value, id }));
  }

  /**
   * Checks the keys of a ranking in its order, or all keys if too few match.
   *
   * @returns also the keys that can match, if they are known to be few
   */
  async #readRanked(
    reading: Reading,
    ranking: DayRanking,
  ): Promise<{ places: KeyPlace[]; ids: Reading['ids'] }> {
    const { order, limit, after, ids, filter } = reading;
    if (excludesRanked(filter, ranking)) return { places: [], ids };
    const ranked = await rankedAfter(ranking, order, after);
    const reaches = ids === undefined ? this.#bounds.reaches : [];
    for (const reach of reaches) {
      const places = ranked.slice(0, reach * limit);
      const matching = await this.#matching({ ...reading, ids: places.map(({ id }) => id) });
      if (matching.size >= limit || places.length === ranked.length) {
        return { places: places.filter(({ id }) => matching.has(id)).slice(0, limit), ids };
      }
    }
    const matching = await this.#matching(reading);
    const places = ranked.filter(({ id }) => matching.has(id)).slice(0, limit);
    return { places, ids: matching.size <= this.#bounds.narrowed ? [...matching] : undefined };
  }

  async #matching(reading: Reading): Promise<Set<string>> {
    const found = new Set<string>();
    for await (const range of this.#ranges({ ...reading, after: undefined })) {
      const { rows } = await sql<{ id: string }>`
        SELECT api_key.id ${this.#fromRange(reading.workspaceId, reading, range)}`.execute(this.#db);
      for (const { id } of rows) found.add(id);
    }
    return found;
  }

  /** Finds all keys of all phases that match, and sorts them. */
  async #sort(reading: Reading): Promise<KeyPlace[]> {
    const { order, limit, after, phases } = reading;
    const [first] = phases;
    // The ranges have the order of the list.
    const isById = phases.length === 1 && first?.by === undefined;
    const begin = isById && after?.phase === first?.number ? after?.id : undefined;
    let found: KeyPlace[] = [];
    for await (const range of this.#ranges({ ...reading, after: begin })) {
      found.push(...(await this.#sortRange(reading, range)));
      if (isById && found.length >= limit) break;
      found = found.sort(comparePlaces(order)).slice(0, limit);
    }
    return found.slice(0, limit);
  }

  async #sortRange(reading: Reading, range: KeyRange): Promise<KeyPlace[]> {
    const { workspaceId, order, limit, after, phases } = reading;
    const ofPhases = phases.map(({ table }) => table).filter((table) => table !== 'api_key');
    const joined = [...new Set([...reading.joined, ...ofPhases])];
    const id = idOf('api_key');
    const inPhases = phases.map((phase) => allOf(isInPhase(phase, id, order, after)));
    const { rows } = await sql<KeyPlace>`
      WITH matching AS MATERIALIZED (
        SELECT ${id} AS id, ${valueByPhase(phases, ({ number }) => sql.lit(number))} AS phase,
          ${valueByPhase(phases, ({ by }) => by ?? sql`NULL`)} AS value
        ${this.#fromRange(workspaceId, { ...reading, joined }, range)} AND (${sql.join(inPhases, sql` OR `)})
      )
      SELECT phase, value, id FROM matching
      ORDER BY phase, ${inOrder(sql.ref('value'), sql.ref('id'), order)} LIMIT ${limit}`.execute(this.#db);
    return rows.map(({ phase, value, id }) => ({ phase, value, id }));
  }

  #ranges(keys: Pick<Reading, 'workspaceId' | 'ids' | 'order'> & { after?: string | undefined }) {
    return rangesOf(this.#db, { after: undefined, ...keys }, this.#bounds.keysPerRead);
  }

  /** The matching keys of a range. */
  #fromRange(workspaceId: string, { joined, conditions }: Checks, range: KeyRange): RawBuilder<unknown> {
    const matches = [
      isInWorkspace('api_key', workspaceId),
      range.condition,
      ...joinConditions(joined, workspaceId, this.#postgres),
      ...conditions(range),
    ];
    return sql`FROM ${fromTables(joined)} WHERE ${allOf(matches)}`;
  }
}

/** Omits the ids that are not in a range, so that its statement does not compare them. */
function inRange(filter: ResolvedFilter, range: KeyRange | undefined): ResolvedFilter {
  const { search } = filter;
  if (search === undefined || range === undefined) return filter;
  return { ...filter, search: { ...search, keyIds: search.keyIds.filter(range.mayContain) } };
}

/**
 * Whether a filter excludes all keys of a ranking: they were used in its 24 hours, so a list of unused keys has none.
 */
function excludesRanked({ unusedSince }: KeyFilter, { at }: DayRanking): boolean {
  return unusedSince !== undefined && unusedSince - lastUseStepMs < dayStartOf(at);
}
