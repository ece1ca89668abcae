import type pg from 'pg';
import { z } from 'zod';
import type { ClusterState } from './cluster-time.ts';

/** Timeout of a statement in ms. It is short because requests wait for it. */
const defaultTimeoutMs = 800;

/** Maximum number of rows that one statement deletes. */
const mostDeleted = 1000;

const clock = '(SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS at) c';

const take = `
  SELECT at_ms AS at, key_id AS "keyId", minute, current, previous, granted
  FROM soku_take_grants(NULL, $1, $2, $3, $4, $5, $6, $7)`;

/** A node that registered 20 s before a minute may have a share of it (migration 0012). */
const look = `
  WITH node AS (
    SELECT c.at, n.id, extract(epoch FROM n.joined_at) * 1000 <= (c.at / 60000 + 1) * 60000 - 20000 AS shares
    FROM ${clock} LEFT JOIN verifier_node n ON true)
  SELECT at, count(id) AS nodes, count(*) FILTER (WHERE shares) AS sharing,
    coalesce(bool_or(shares AND id = $1), false) AS "isSharing"
  FROM node GROUP BY at`;

/** The array is computed once; with outdated table statistics, a join would be computed again for each row. */
const prune = `
  DELETE FROM rate_window WHERE ctid = ANY (ARRAY(
    SELECT rate_window.ctid FROM rate_window, ${clock} WHERE minute < c.at / 60000 - 1
    LIMIT ${mostDeleted} FOR UPDATE OF rate_window SKIP LOCKED))`;

const lookSchema = z.object({
  at: z.number(),
  nodes: z.number(),
  sharing: z.number(),
  isSharing: z.boolean(),
});
const grantedSchema = z.object({
  at: z.number(),
  keyId: z.string(),
  minute: z.number(),
  current: z.number(),
  previous: z.number(),
  granted: z.number(),
});

/** A node's request for a grant of a key. */
export interface GrantRequest {
  keyId: string;
  /** Requests per minute. */
  quota: number;
  /** Whether the node needs a grant; otherwise it only returns an unused part. */
  wanted: boolean;
  /** The unused part of this minute, which has ended for the node. */
  unusedMinute: number;
  unused: number;
}

/** The result of a grant request. */
export interface GrantResult {
  /** Epoch ms, by the database's clock. */
  at: number;
  keyId: string;
  /** The minute in which the grant expires. */
  minute: number;
  /** What all nodes may accept in that minute, including this grant, and in the previous one. */
  current: number;
  previous: number;
  granted: number;
}

/** Takes grants from PostgreSQL, which uses its own clock. */
export class PostgresGrants {
  readonly #pool: pg.Pool;
  readonly #timeoutMs: number;

  /** @param timeoutMs statement timeout in ms; longer only if no request waits, such as in tests */
  constructor(pool: pg.Pool, timeoutMs = defaultTimeoutMs) {
    this.#pool = pool;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Takes grants in one round trip.
   *
   * @param requests at least one, and at most one per key
   * @param withoutShare the ID of this node, if it certainly has no share of that minute
   * @returns one result per request, in any order
   */
  async take(
    requests: readonly GrantRequest[],
    withoutShare: { id: string | undefined; minute: number },
  ): Promise<GrantResult[]> {
    const rows = await this.#query(take, [
      requests.map(({ keyId }) => keyId),
      requests.map(({ quota }) => quota),
      requests.map(({ wanted }) => wanted),
      requests.map(({ unusedMinute }) => unusedMinute),
      requests.map(({ unused }) => unused),
      withoutShare.id,
      withoutShare.minute,
    ]);
    const granted = z.array(grantedSchema).parse(rows);
    if (granted.length !== requests.length) throw new Error('the database returned too few grants');
    return granted;
  }

  /** @param id the ID of this node */
  async readClusterState(id: string): Promise<ClusterState> {
    const [row] = await this.#query(look, [id]);
    return lookSchema.parse(row);
  }

  /** Deletes windows that no longer affect a limit. */
  async prune(): Promise<void> {
    let deleted: number | null;
    do deleted = (await this.#pool.query(prune)).rowCount;
    while (deleted === mostDeleted);
  }

  async #query(text: string, values: unknown[]): Promise<unknown[]> {
    const query = { text, values, query_timeout: this.#timeoutMs };
    return (await this.#pool.query(query)).rows;
  }
}
