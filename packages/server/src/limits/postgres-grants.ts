import type pg from 'pg';
import { z } from 'zod';
import type { Look } from './cluster-time.ts';

/** ms after which a response is waited for no more: requests wait for it. */
const usualPatience = 800;

/** How many rows one statement deletes. */
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
    coalesce(bool_or(shares AND id = $1), false) AS included
  FROM node GROUP BY at`;

/** An array is computed once; a join would be computed again for each row when the statistics of the table are old. */
const prune = `
  DELETE FROM rate_window WHERE ctid = ANY (ARRAY(
    SELECT rate_window.ctid FROM rate_window, ${clock} WHERE minute < c.at / 60000 - 1
    LIMIT ${mostDeleted} FOR UPDATE OF rate_window SKIP LOCKED))`;

const lookSchema = z.object({
  at: z.number(),
  nodes: z.number(),
  sharing: z.number(),
  included: z.boolean(),
});
const grantedSchema = z.object({
  at: z.number(),
  keyId: z.string(),
  minute: z.number(),
  current: z.number(),
  previous: z.number(),
  granted: z.number(),
});

/** What a node asks for a key. */
export interface GrantRequest {
  keyId: string;
  /** Requests a minute. */
  quota: number;
  /** Whether it wants a grant; else it only returns something. */
  wanted: boolean;
  /** What it did not use of this minute, which has ended for it. */
  unusedMinute: number;
  unused: number;
}

/** What the database says of it. */
export interface Granted {
  /** Epoch ms, by its clock. */
  at: number;
  keyId: string;
  /** The one in which the grant ends. */
  minute: number;
  /** What all nodes may let pass in that minute, with this grant, and in the one before it. */
  current: number;
  previous: number;
  granted: number;
}

/** Grants of PostgreSQL, by its clock. */
export class PostgresGrants {
  readonly #pool: pg.Pool;
  readonly #patience: number;

  /** @param patience ms, longer only where no request waits, such as in tests */
  constructor(pool: pg.Pool, patience = usualPatience) {
    this.#pool = pool;
    this.#patience = patience;
  }

  /**
   * One round trip.
   *
   * @param requests for no key twice, at least one
   * @param withoutShare the id of this node, if it certainly has no share of that minute
   * @returns as many as there are requests, in any order
   */
  async take(
    requests: readonly GrantRequest[],
    withoutShare: { id: string | undefined; minute: number },
  ): Promise<Granted[]> {
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

  /** @param id of this node */
  async look(id: string): Promise<Look> {
    const [row] = await this.#query(look, [id]);
    return lookSchema.parse(row);
  }

  /** Deletes windows that count nothing any more. */
  async prune(): Promise<void> {
    let deleted: number | null;
    do deleted = (await this.#pool.query(prune)).rowCount;
    while (deleted === mostDeleted);
  }

  async #query(text: string, values: unknown[]): Promise<unknown[]> {
    const query = { text, values, query_timeout: this.#patience };
    return (await this.#pool.query(query)).rows;
  }
}
