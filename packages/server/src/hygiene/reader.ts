import { type HygieneKind, hygieneKindSchema } from '@soku/contract/hygiene';
import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { allOf } from '../keys/list-filter.ts';
import { type KeyRange, rangesOf } from '../keys/list-ranges.ts';
import { findingsOf, type HygieneContext, idleSinceOf, isAcceptedKey } from './findings.ts';

/** A finding: its kind, when it began (epoch ms), and the id of the key. */
export interface FindingPosition {
  kind: HygieneKind;
  since: number;
  id: string;
}

/** A key of a kind, as it was found. */
interface Found extends FindingPosition {
  /** Epoch ms from which the key is idle, whatever its kind. */
  idleSince: number;
}

interface PageRequest {
  /** In the order of the page. */
  kinds: readonly HygieneKind[];
  /** The last finding of the previous page, which is of the first of the kinds. */
  after: FindingPosition | undefined;
  limit: number;
}

/** Keys per statement on SQLite, which blocks the process for a few ms. */
const keysPerRead = 2000;

const noCounts: Readonly<Record<HygieneKind, number>> = {
  rotation_unfinished: 0,
  older_than_policy: 0,
  idle_90_days: 0,
  idle_30_days: 0,
  never_used: 0,
  unrestricted: 0,
  expires_too_late: 0,
  never_expires: 0,
};

/** Finds the keys of a workspace that need attention. It reads all keys, in ranges. */
export class HygieneReader {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async context(workspaceId: string, now: number): Promise<HygieneContext> {
    const row = await this.#db
      .selectFrom(['workspace', 'usage_history'])
      .select(['complete_since', 'max_secret_age', 'max_key_idle', 'max_key_lifetime', 'require_expiry'])
      .where('workspace.id', '=', workspaceId)
      .executeTakeFirstOrThrow();
    return {
      now,
      completeSince: row.complete_since,
      policies: {
        maxSecretAgeDays: row.max_secret_age,
        maxKeyIdleDays: row.max_key_idle,
        maxKeyLifetimeDays: row.max_key_lifetime,
        requireKeyExpiry: row.require_expiry === 1,
      },
    };
  }

  /** One kind after the other, each with the oldest finding first. */
  async page(
    workspaceId: string,
    context: HygieneContext,
    { kinds, after, limit }: PageRequest,
  ): Promise<Found[]> {
    const places: Found[] = [];
    for (const kind of kinds) {
      if (places.length >= limit) break;
      const start = after?.kind === kind ? after : undefined;
      const request = { kind, start, limit: limit - places.length };
      places.push(...(await this.#ofKind(workspaceId, context, request)));
    }
    return places;
  }

  async #ofKind(
    workspaceId: string,
    context: HygieneContext,
    { kind, start, limit }: { kind: HygieneKind; start: FindingPosition | undefined; limit: number },
  ): Promise<Found[]> {
    const { condition, since } = findingsOf(this.#db, context)[kind];
    const idleSince = idleSinceOf(this.#db, context.completeSince);
    const isAfter =
      start === undefined
        ? sql<SqlBool>`1 = 1`
        : sql<SqlBool>`(${since} > ${start.since} OR (${since} = ${start.since} AND api_key.id > ${start.id}))`;
    let found: Found[] = [];
    for await (const range of this.#ranges(workspaceId)) {
      const { rows } = await sql<{ id: string; since: number | string; idle: number | string }>`
        SELECT api_key.id AS id, ${since} AS since, ${idleSince} AS idle
        ${from(workspaceId, context, range)} AND ${condition} AND ${isAfter}
        ORDER BY 2, 1 LIMIT ${limit}`.execute(this.#db);
      for (const { id, since: at, idle } of rows)
        found.push({ kind, since: Number(at), id, idleSince: Number(idle) });
      found = found.sort(compare).slice(0, limit);
    }
    return found;
  }

  async count(workspaceId: string, context: HygieneContext): Promise<Record<HygieneKind, number>> {
    const findings = findingsOf(this.#db, context);
    const counts = { ...noCounts };
    for await (const range of this.#ranges(workspaceId)) {
      const keys = from(workspaceId, context, range);
      const columns = hygieneKindSchema.options.map((kind) => {
        const { condition, readsSecrets } = findings[kind];
        const count = readsSecrets
          ? sql`(SELECT count(*) ${keys} AND ${condition})`
          : sql`count(CASE WHEN ${condition} THEN 1 END)`;
        return sql`${count} AS ${sql.ref(kind)}`;
      });
      const { rows } = await sql<Record<HygieneKind, number | string>>`
        SELECT ${sql.join(columns)} ${keys}`.execute(this.#db);
      for (const kind of hygieneKindSchema.options) counts[kind] += Number(rows[0]?.[kind]);
    }
    return counts;
  }

  #ranges(workspaceId: string) {
    const keys = { workspaceId, ids: undefined, order: 'asc', after: undefined } as const;
    return rangesOf(this.#db, keys, keysPerRead);
  }
}

/** The accepted keys of a range. */
function from(workspaceId: string, { now }: HygieneContext, { condition }: KeyRange): RawBuilder<unknown> {
  const conditions = [
    sql<SqlBool>`api_key.workspace_id = ${workspaceId}`,
    sql<SqlBool>`key_use.key_id = api_key.id`,
    condition,
    isAcceptedKey(now),
  ];
  return sql`FROM api_key CROSS JOIN key_use WHERE ${allOf(conditions)}`;
}

function compare(a: FindingPosition, b: FindingPosition): number {
  if (a.since !== b.since) return a.since - b.since;
  return a.id < b.id ? -1 : 1;
}
