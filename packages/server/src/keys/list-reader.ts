import { setImmediate as turn } from 'node:timers/promises';
import type { KeySort, SortOrder } from '@soku/contract/keys';
import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import { isPostgres } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { allOf, conditionsOf, hasStatus, type KeyFilter } from './list-filter.ts';
import { narrow, resolveSearch } from './list-narrowing.ts';
import { comparePlaces, inOrder, isAfter, type KeyPlace } from './list-order.ts';
import { type Phase, phasesOf } from './list-phases.ts';

export interface PageRequest {
  workspaceId: string;
  filter: KeyFilter;
  sort: KeySort;
  order: SortOrder;
  /** See phasesOf. Epoch ms. */
  since: number;
  /** The place of the last key on the previous page. */
  after: KeyPlace | undefined;
  /** Maximum number of keys. */
  limit: number;
}

/** How much is read before another way is tried. All ways find the same keys. */
export interface ListBounds {
  /** Maximum number of keys that are checked one by one, because few keys fulfil one of the conditions. */
  narrowed: number;
  /**
   * How many keys are read in the order of an index, in multiples of the limit, before all matching ones are sorted
   * instead. Reading in order is fast if many keys match, and sorting if few do.
   */
  reaches: readonly number[];
  /**
   * On SQLite, number of keys that one statement of a search through all keys reads. It blocks verification for a few
   * ms. Other work of the process comes between two statements.
   */
  keysPerRead: number;
}

const usualBounds: ListBounds = { narrowed: 1000, reaches: [4, 40], keysPerRead: 5000 };

type Condition = RawBuilder<SqlBool>;

/** How a statement finds out which keys match. */
interface Checks {
  conditions: readonly Condition[];
  /** Whether the conditions read `key_use`. */
  joinsUse: boolean;
  /** The keys that can match, if they are known to be few. */
  ids: readonly string[] | undefined;
}

/** What a statement reads, and in which order. */
interface Reading extends PageRequest, Checks {
  /** The phases that may have keys of the page. */
  phases: readonly NumberedPhase[];
}

interface NumberedPhase extends Phase {
  number: number;
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
    const { filter, sort, order, since, after, limit, workspaceId } = request;
    const checks = await this.#prepare(workspaceId, filter);
    const hasLater = sort === 'lastUsed' && (await this.#isUsedAfter(workspaceId, since));
    const phases = phasesOf(sort, order, { since, hasLater }, this.#postgres)
      .map((phase, number) => ({ ...phase, number }))
      .slice(after?.phase ?? 0);
    const places: KeyPlace[] = [];
    while (phases.length > 0 && places.length < limit) {
      const reading = { ...request, ...checks, limit: limit - places.length, phases };
      const found = await this.#walkPhase(reading);
      if (found === undefined) return [...places, ...(await this.#sort(reading))];
      places.push(...found);
      phases.shift();
    }
    return places;
  }

  /** Counts the keys that match, by status, whatever status the filter has. */
  async count(workspaceId: string, filter: KeyFilter) {
    const { now } = filter;
    const checks = await this.#prepare(workspaceId, { ...filter, status: 'all' });
    const { conditions, joinsUse, ids } = checks;
    const counts = { active: 0, revoked: 0, expired: 0, all: 0 };
    for await (const range of this.#ranges(workspaceId, ids, 'asc', undefined)) {
      const { rows } = await sql<{ active: number; revoked: number; expired: number }>`
        SELECT ${countIf('active', now)} AS active, ${countIf('revoked', now)} AS revoked,
          ${countIf('expired', now)} AS expired
        FROM ${tables(joinsUse)}
        WHERE ${allOf([isOf('api_key', workspaceId), range, ...this.#joined(joinsUse, workspaceId), ...conditions])}`.execute(
        this.#db,
      );
      const [row] = rows;
      counts.active += Number(row?.active);
      counts.revoked += Number(row?.revoked);
      counts.expired += Number(row?.expired);
    }
    return { ...counts, all: counts.active + counts.revoked + counts.expired };
  }

  async #prepare(workspaceId: string, filter: KeyFilter): Promise<Checks> {
    const { narrowed } = this.#bounds;
    const resolved = await resolveSearch(this.#db, filter, narrowed);
    return {
      conditions: conditionsOf(resolved, this.#postgres),
      joinsUse: filter.unusedSince !== undefined,
      ids: await narrow(this.#db, workspaceId, resolved, narrowed),
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
  async #walk(reading: Reading, phase: NumberedPhase, reach: number): Promise<KeyPlace[] | undefined> {
    const { workspaceId, order, limit, after, conditions, joinsUse, filter } = reading;
    const { table, by, number } = phase;
    const id = idOf(table);
    const inPhase = [isOf(table, workspaceId), ...isIn(phase, id, order, after)];
    // The index of revoked keys, or that of the others, applies.
    if (table === 'api_key' && by === undefined) inPhase.push(...revokedCondition(filter));
    const { rows } = await sql<Omit<KeyPlace, 'phase'> & { walked: number }>`
      WITH walked AS MATERIALIZED (
        SELECT ${id} AS id, ${by ?? sql`NULL`} AS value FROM ${sql.table(table)} WHERE ${allOf(inPhase)}
        ORDER BY ${inOrder(by, id, order)} LIMIT ${reach}
      )
      SELECT walked.id, walked.value, (SELECT count(*) FROM walked) AS walked
      FROM walked CROSS JOIN ${tables(joinsUse)}
      WHERE ${allOf([sql`api_key.id = walked.id`, ...this.#joined(joinsUse, workspaceId), ...conditions])}
      ORDER BY ${inOrder(by && sql.ref('walked.value'), sql.ref('walked.id'), order)} LIMIT ${limit}`.execute(
      this.#db,
    );
    if (rows.length < limit && Number(rows[0]?.walked ?? reach) >= reach) return undefined;
    return rows.map(({ id, value }) => ({ phase: number, value, id }));
  }

  /** Finds all keys of all phases that match, and sorts them. */
  async #sort(reading: Reading): Promise<KeyPlace[]> {
    const { workspaceId, order, limit, after, phases, ids } = reading;
    const [first] = phases;
    // The ranges have the order of the list.
    const isById = phases.length === 1 && first?.by === undefined;
    const begin = isById && after?.phase === first?.number ? after?.id : undefined;
    let found: KeyPlace[] = [];
    for await (const range of this.#ranges(workspaceId, ids, order, begin)) {
      found.push(...(await this.#sortRange(reading, range)));
      if (isById && found.length >= limit) break;
      found = found.sort(comparePlaces(order)).slice(0, limit);
    }
    return found.slice(0, limit);
  }

  async #sortRange(reading: Reading, range: Condition): Promise<KeyPlace[]> {
    const { workspaceId, order, limit, after, phases, conditions } = reading;
    const joinsUse = reading.joinsUse || phases.some(({ table }) => table === 'key_use');
    const id = idOf('api_key');
    const inPhases = phases.map((phase) => allOf(isIn(phase, id, order, after)));
    const matches = [
      isOf('api_key', workspaceId),
      range,
      ...this.#joined(joinsUse, workspaceId),
      ...conditions,
      sql<SqlBool>`(${sql.join(inPhases, sql` OR `)})`,
    ];
    const { rows } = await sql<KeyPlace>`
      WITH matching AS MATERIALIZED (
        SELECT ${id} AS id, ${ofPhase(phases, ({ number }) => sql.lit(number))} AS phase,
          ${ofPhase(phases, ({ by }) => by ?? sql`NULL`)} AS value
        FROM ${tables(joinsUse)} WHERE ${allOf(matches)}
      )
      SELECT phase, value, id FROM matching
      ORDER BY phase, ${inOrder(sql.ref('value'), sql.ref('id'), order)} LIMIT ${limit}`.execute(this.#db);
    return rows.map(({ phase, value, id }) => ({ phase, value, id }));
  }

  /** On PostgreSQL, the workspace lets the planner read only its rows. On SQLite, a look-up by id is the right plan. */
  #joined(joinsUse: boolean, workspaceId: string): Condition[] {
    if (!joinsUse) return [];
    return [sql`key_use.key_id = api_key.id`, ...(this.#postgres ? [isOf('key_use', workspaceId)] : [])];
  }

  /**
   * Ranges of ids that contain all keys of a workspace, in order, or the given ids.
   *
   * @param after where the first range begins
   */
  async *#ranges(
    workspaceId: string,
    ids: readonly string[] | undefined,
    order: SortOrder,
    after: string | undefined,
  ): AsyncGenerator<Condition, void> {
    if (ids !== undefined) {
      if (ids.length > 0) yield sql`api_key.id IN (${sql.join(ids)})`;
      return;
    }
    if (this.#postgres) {
      yield sql`1 = 1`;
      return;
    }
    const [before, upTo] = order === 'asc' ? [sql`>`, sql`<=`] : [sql`<`, sql`>=`];
    let begin = after;
    for (;;) {
      const later: Condition = begin === undefined ? sql`1 = 1` : sql`api_key.id ${before} ${begin}`;
      const { rows } = await sql<{ id: string }>`
        SELECT id FROM api_key WHERE ${allOf([isOf('api_key', workspaceId), later])}
        ORDER BY ${inOrder(undefined, sql.ref('id'), order)} LIMIT 1 OFFSET ${this.#bounds.keysPerRead - 1}`.execute(
        this.#db,
      );
      const end = rows[0]?.id;
      if (end === undefined) {
        yield later;
        return;
      }
      yield sql`${later} AND api_key.id ${upTo} ${end}`;
      begin = end;
      await turn();
    }
  }
}

function idOf(table: Phase['table']): RawBuilder<unknown> {
  return sql.ref(table === 'api_key' ? 'api_key.id' : 'key_use.key_id');
}

function isOf(table: Phase['table'], workspaceId: string): Condition {
  return sql`${sql.ref(`${table}.workspace_id`)} = ${workspaceId}`;
}

/** Selects the keys of a phase, after a place if that is in the phase. */
function isIn(
  { number, only, by }: NumberedPhase,
  id: RawBuilder<unknown>,
  order: SortOrder,
  after: KeyPlace | undefined,
): Condition[] {
  return [
    ...(only === undefined ? [] : [only]),
    ...(after?.phase === number ? isAfter(by, id, order, after) : []),
  ];
}

/** A value that depends on the phase of a key. */
function ofPhase(
  phases: readonly NumberedPhase[],
  value: (phase: NumberedPhase) => RawBuilder<unknown>,
): RawBuilder<unknown> {
  const cases = phases.map((phase) => sql`WHEN ${phase.only ?? sql`1 = 1`} THEN ${value(phase)}`);
  return sql`CASE ${sql.join(cases, sql` `)} END`;
}

/** On SQLite, CROSS JOIN reads the tables in this order. */
function tables(joinsUse: boolean): RawBuilder<unknown> {
  return joinsUse ? sql`api_key CROSS JOIN key_use` : sql`api_key`;
}

function revokedCondition({ status }: KeyFilter): Condition[] {
  if (status === 'all') return [];
  return status === 'revoked' ? [sql`api_key.revoked_at IS NOT NULL`] : [sql`api_key.revoked_at IS NULL`];
}

function countIf(status: 'active' | 'revoked' | 'expired', now: number): RawBuilder<unknown> {
  return sql`count(*) FILTER (WHERE ${hasStatus(status, now)})`;
}
