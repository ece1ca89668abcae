import { randomUUID } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { PostgresDatabase } from '../database/postgres.ts';
import type { Tables } from '../database/schema.ts';
import { cleanUserAgent } from '../http/user-agent.ts';
import { addToDaysSql, dayOf } from './day-rows.ts';
import type { SecretCounts } from './pending-uses.ts';
import { lastUseAt, type UsageStore } from './store.ts';

/** Maximum number of rows that one statement deletes. */
const maxDeleted = 5000;

/** Days after which the number of a process that stopped writing is deleted. */
const writerRetentionDays = 7;

/**
 * Adds all counts, or none if it is not this write's turn. Every node locks rows in the same order, so there are no
 * deadlocks: those of `last_use`, `usage_hour`, `usage_refusal`, `usage_day` (of keys), `usage_total` and `usage_day` (of workspaces),
 * each in the order of its key. Therefore each step reads the results of earlier ones. The totals come last, because all
 * nodes lock the same few rows of them.
 *
 * The last use is always written, regardless of what this node wrote before, because other nodes write it too. A secret
 * can appear twice if an hour has just ended. A secret that is missing in the database (a failover can lose what the old
 * primary had committed) is skipped, because otherwise every later write would fail.
 */
const add = `
  WITH turn AS (
    UPDATE usage_writer SET number = $2, seen_at = now() WHERE id = $1 AND number = $2 - 1 RETURNING number
  ), used AS MATERIALIZED (
    SELECT u.* FROM turn, unnest($3::int[], $4::text[], $5::bytea[], $6::bigint[], $7::bigint[], $8::bigint[],
      $9::text[], $10::text[], $11::text[]) AS u (hour, key_id, hash, accepted, refused, at, address, agent, workspace_id)
    JOIN api_key_secret s ON s.hash = u.hash AND s.key_id = u.key_id
  ), rejected AS MATERIALIZED (
    SELECT u.hour, u.workspace_id, u.key_id, r.code, sum(r.requests) AS requests
    FROM unnest($12::int[], $13::bytea[], $14::text[], $15::bigint[]) AS r (hour, hash, code, requests)
    JOIN used u ON u.hour = r.hour AND u.hash = r.hash
    GROUP BY 1, 2, 3, 4
  ), noted AS (
    INSERT INTO last_use (key_id, hash, at, address, agent)
    SELECT DISTINCT ON (key_id, hash) key_id, hash, at, address, agent FROM used WHERE at IS NOT NULL
    ORDER BY key_id, hash, at DESC
    ON CONFLICT (key_id, hash) DO UPDATE SET at = excluded.at, address = excluded.address, agent = excluded.agent
    WHERE excluded.at >= last_use.at
    RETURNING 1
  ), counted AS (
    INSERT INTO usage_hour (hour, key_id, hash, accepted, refused, last_at)
    SELECT hour, key_id, hash, accepted, refused, at FROM used, (SELECT count(*) FROM noted) AS noted
    ORDER BY hour, key_id, hash
    ON CONFLICT (hour, key_id, hash) DO UPDATE SET
      accepted = usage_hour.accepted + excluded.accepted, refused = usage_hour.refused + excluded.refused,
      last_at = greatest(excluded.last_at, usage_hour.last_at)
    RETURNING 1
  ), explained AS (
    INSERT INTO usage_refusal (hour, workspace_id, key_id, code, requests)
    SELECT hour, workspace_id, key_id, code, requests FROM rejected, (SELECT count(*) FROM counted) AS counted
    ORDER BY hour, workspace_id, key_id, code
    ON CONFLICT (hour, workspace_id, key_id, code) DO UPDATE SET requests = usage_refusal.requests + excluded.requests
    RETURNING 1
  ), daily AS (${addToDaysSql(`
      SELECT hour, owner, hash, outcome, requests FROM (
        SELECT hour, key_id AS owner, hash, 'accepted' AS outcome, accepted AS requests FROM used WHERE accepted > 0
        UNION ALL SELECT hour, key_id, ''::bytea, code, requests FROM rejected
      ) AS by_key, (SELECT count(*) FROM counted) AS counted, (SELECT count(*) FROM explained) AS explained`)}
  ), summed AS (
    INSERT INTO usage_total (hour, workspace_id, outcome, requests)
    SELECT hour, workspace_id, outcome, sum(requests) FROM (
      SELECT hour, workspace_id, 'accepted' AS outcome, accepted AS requests FROM used WHERE accepted > 0
      UNION ALL SELECT hour, workspace_id, code, requests FROM rejected
    ) AS by_outcome, (SELECT count(*) FROM daily) AS daily
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (hour, workspace_id, outcome) DO UPDATE SET requests = usage_total.requests + excluded.requests
    RETURNING hour, workspace_id, outcome
  ), summed_daily AS (${addToDaysSql(`
      SELECT hour, workspace_id AS owner, ''::bytea AS hash, outcome, requests FROM (
        SELECT hour, workspace_id, 'accepted' AS outcome, accepted AS requests FROM used WHERE accepted > 0
        UNION ALL SELECT hour, workspace_id, code, requests FROM rejected
      ) AS by_outcome, (SELECT count(*) FROM summed) AS summed`)}
  )
  SELECT number FROM turn`;

/** The last uses alone, in the same order. */
const addLastUses = `
  INSERT INTO last_use (key_id, hash, at, address, agent)
  SELECT DISTINCT ON (u.key_id, u.hash) u.* FROM unnest($1::text[], $2::bytea[], $3::bigint[], $4::text[], $5::text[])
    AS u (key_id, hash, at, address, agent)
  JOIN api_key_secret s ON s.hash = u.hash AND s.key_id = u.key_id
  ORDER BY u.key_id, u.hash, u.at DESC
  ON CONFLICT (key_id, hash) DO UPDATE SET at = excluded.at, address = excluded.address, agent = excluded.agent
  WHERE excluded.at >= last_use.at`;

/**
 * The array is computed once. With outdated table statistics, a join with the locked rows would be computed again for
 * each row of the table, and would exceed the statement timeout.
 */
const deletesOldest = (
  [
    ['usage_hour', 'hour'],
    ['usage_refusal', 'hour'],
    ['usage_total', 'hour'],
    ['usage_day', 'day'],
    ['usage_client', 'day'],
  ] as const
).map(([table, time]) => ({
  time,
  statement: `
  DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM ${table} WHERE ${time} < $1 ORDER BY ${time} LIMIT ${maxDeleted} FOR UPDATE SKIP LOCKED))`,
}));

const deleteWriters = `DELETE FROM usage_writer WHERE seen_at < now() - interval '${writerRetentionDays} days'`;

/**
 * Usage in PostgreSQL, to which all nodes add their counts. The writes of a node are numbered, and the number is
 * committed with the write, so each snapshot of the database shows which writes it contains.
 */
export class PostgresUsageStore implements UsageStore {
  readonly #database: PostgresDatabase;
  /** '' until the first write. */
  #writer = '';
  /** The number of the last write that is known to be committed. */
  #settled = 0;
  /** The next write, from when it is sent until it is known to be committed. */
  #inFlight: { number: number; settle: () => void } | undefined;

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  async write(
    counts: readonly Readonly<SecretCounts>[],
    _durable: boolean,
    written: (count: number) => void,
  ): Promise<void> {
    if (this.#writer === '') await this.#begin();
    const number = this.#settled + 1;
    this.#inFlight = { number, settle: () => written(counts.length) };
    const values = [this.#writer, number, ...columnsOf(counts), ...rejectionColumnsOf(counts)];
    try {
      if (await this.#add(values)) this.#settle(number);
      else await this.#checkCommitted(number);
    } catch (error) {
      // A read may have found that the write is committed, even if its response was lost.
      if (this.#settled !== number) throw error;
    }
  }

  async writeLastUses(counts: readonly Readonly<SecretCounts>[]): Promise<void> {
    const [, keyIds, hashes, , , at, addresses, agents] = columnsOf(counts);
    await this.#database.pool.query(addLastUses, [keyIds, hashes, at, addresses, agents]);
  }

  async readConsistently<Stored, T>(
    read: (db: Kysely<Tables>) => Promise<Stored>,
    combine: (stored: Stored) => T,
  ): Promise<T> {
    for (;;) {
      const before = this.#settled;
      const { number, stored } = await this.#database.kysely
        .transaction()
        .setIsolationLevel('repeatable read')
        .setAccessMode('read only')
        .execute(async (db) => ({ number: await numberOf(db, this.#writer), stored: await read(db) }));
      if (number !== undefined) this.#settle(number);
      // Otherwise a write was settled that this snapshot does not contain.
      if (number === this.#settled || this.#settled === before) return combine(stored);
    }
  }

  async prune(before: number): Promise<boolean> {
    const { pool } = this.#database;
    for (const { time, statement } of deletesOldest) {
      const oldest = time === 'hour' ? before : dayOf(before);
      const { rowCount } = await pool.query(statement, [oldest]);
      if (rowCount === maxDeleted) return true;
    }
    await pool.query(deleteWriters);
    return false;
  }

  /** Registers a writer; its writes are numbered from 1. */
  async #begin(): Promise<void> {
    const writer = randomUUID();
    await this.#database.kysely.insertInto('usage_writer').values({ id: writer, number: 0 }).execute();
    this.#writer = writer;
    this.#settled = 0;
  }

  /** @returns whether it was this write's turn */
  async #add(values: unknown[]): Promise<boolean> {
    const { rowCount } = await this.#database.pool.query({ name: 'add usage', text: add, values });
    return rowCount === 1;
  }

  /** Handles a write out of turn, most likely because it was sent before and has since been committed. */
  async #checkCommitted(number: number): Promise<void> {
    const committed = await numberOf(this.#database.kysely, this.#writer);
    if (committed === number) return this.#settle(number);
    this.#writer = '';
    throw new Error('the database has lost a usage write of this node');
  }

  /** Can be called twice for a write: by its response and by a read. */
  #settle(number: number): void {
    const inFlight = this.#inFlight;
    if (inFlight?.number !== number) return;
    this.#inFlight = undefined;
    this.#settled = number;
    inFlight.settle();
  }
}

async function numberOf(db: Kysely<Tables>, writer: string): Promise<number | undefined> {
  const row = await db
    .selectFrom('usage_writer')
    .select('number')
    .where('id', '=', writer)
    .executeTakeFirst();
  return row?.number;
}

/** The columns as arrays, in the order of `add`. */
function columnsOf(counts: readonly Readonly<SecretCounts>[]): unknown[][] {
  return [
    counts.map(({ hour }) => hour),
    counts.map(({ keyId }) => keyId),
    counts.map(({ hash }) => Buffer.from(hash, 'latin1')),
    counts.map(({ accepted }) => accepted),
    counts.map(({ refused }) => refused),
    counts.map(lastUseAt),
    counts.map(({ address }) => address),
    counts.map(({ agent }) => cleanUserAgent(agent)),
    counts.map(({ workspaceId }) => workspaceId),
  ];
}

/** The rejections by code as arrays, in the order of `add`. */
function rejectionColumnsOf(counts: readonly Readonly<SecretCounts>[]): unknown[][] {
  const rows = counts.flatMap(({ hour, hash, refusedBy }) =>
    Object.entries(refusedBy).map(([code, requests]) => ({ hour, hash, code, requests })),
  );
  return [
    rows.map(({ hour }) => hour),
    rows.map(({ hash }) => Buffer.from(hash, 'latin1')),
    rows.map(({ code }) => code),
    rows.map(({ requests }) => requests),
  ];
}
