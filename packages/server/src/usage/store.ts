import type { DatabaseSync } from 'node:sqlite';
import { msPerHour } from '@soku/contract/instant';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/schema.ts';
import type { SqliteDatabase } from '../database/sqlite.ts';
import { cleanUserAgent } from '../http/user-agent.ts';
import { hourStart } from './hours.ts';
import type { SecretCounts } from './pending-uses.ts';
import type { UsageSink } from './recorder.ts';

/**
 * Maximum duration of a transaction in ms, without its commit: it blocks verification, and a revoke waits for it. With
 * many keys in use and one connection that sends requests back to back, more than one request in a hundred meets a
 * transaction, so this is the 99th percentile of latency. Shorter ones cost more: for the same rows, 1 ms takes 7 %
 * more CPU time than 2 ms, and 0.5 ms takes 60 % more.
 */
const maxWriteMs = 1;

/** Maximum number of rows that one transaction deletes, for the same reason. */
const maxDeleted = 500;

const addToHour = `
  INSERT INTO usage_hour (hour, key_id, hash, accepted, refused, last_at) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (hour, key_id, hash) DO UPDATE SET
    accepted = usage_hour.accepted + excluded.accepted, refused = usage_hour.refused + excluded.refused,
    last_at = CASE WHEN excluded.last_at > coalesce(usage_hour.last_at, 0)
      THEN excluded.last_at ELSE usage_hour.last_at END`;

/** Never moves back: an hour that could not be written may be written after the next one. */
const setLastUse = `
  INSERT INTO last_use (key_id, hash, at, address, agent) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (key_id, hash) DO UPDATE SET at = excluded.at, address = excluded.address, agent = excluded.agent
  WHERE excluded.at >= last_use.at`;

const deleteOldest = `
  DELETE FROM usage_hour WHERE (hour, key_id, hash) IN (
    SELECT hour, key_id, hash FROM usage_hour WHERE hour < ? ORDER BY hour LIMIT ${maxDeleted})`;

/** The counts of one hour. */
export interface HourCounts {
  /** Epoch hours. */
  hour: number;
  accepted: number;
  refused: number;
}

/** The last accepted use of a secret. */
export interface LastUse {
  keyId: string;
  /** Epoch ms. */
  at: number;
  address: string;
  agent: string;
}

/** Stores and reads usage. */
export interface UsageStore extends UsageSink {
  /**
   * Reads stored usage and combines it with memory, so that each use is counted exactly once.
   *
   * @param combine called in a turn in which memory contains exactly what the database did not contain when read
   */
  readConsistently<Stored, T>(
    read: (db: Kysely<Tables>) => Promise<Stored>,
    combine: (stored: Stored) => T,
  ): Promise<T>;
  /**
   * Deletes old counts, one batch per call.
   *
   * @param before epoch hours; this hour is kept
   * @returns whether there may be more to delete
   */
  prune(before: number): Promise<boolean>;
}

/** Usage in SQLite. It never waits for a program that has locked the file, because usage can be written later. */
export class SqliteUsageStore implements UsageStore {
  readonly #database: SqliteDatabase;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  async write(
    usages: readonly Readonly<SecretCounts>[],
    durable: boolean,
    written: (count: number) => void,
  ): Promise<void> {
    const terms = { patience: 0, durable };
    await this.#database.transact((connection) => writeSlice(connection, usages), written, terms);
  }

  /** Occupies the write connection, so nothing is written during the read. */
  async readConsistently<Stored, T>(
    read: (db: Kysely<Tables>) => Promise<Stored>,
    combine: (stored: Stored) => T,
  ): Promise<T> {
    return this.#database.kysely.connection().execute(async (db) => combine(await read(db)));
  }

  /**
   * Deletes old counts, one batch per call.
   *
   * @param before epoch hours; this hour is kept
   * @returns whether there may be more to delete
   */
  async prune(before: number): Promise<boolean> {
    const deleted = await this.#database.transact(
      (connection) => Number(connection.prepare(deleteOldest).run(before).changes),
      () => undefined,
      { patience: 0, durable: false },
    );
    return deleted === maxDeleted;
  }
}

/**
 * The hours in which a key was used.
 *
 * @param from epoch hours
 * @param to epoch hours; not included
 */
export async function readHours(
  db: Kysely<Tables>,
  keyId: string,
  from: number,
  to: number,
): Promise<HourCounts[]> {
  return db
    .selectFrom('usage_hour')
    .select(['hour', 'accepted', 'refused'])
    .where('hour', 'in', hoursBetween(from, to))
    .where('key_id', '=', keyId)
    .execute();
}

/**
 * How many requests with any of these keys were accepted.
 *
 * @param from epoch hours
 * @param to epoch hours; not included
 */
export async function readAccepted(
  db: Kysely<Tables>,
  keyIds: readonly string[],
  from: number,
  to: number,
): Promise<number> {
  const { accepted } = await db
    .selectFrom('usage_hour')
    .select(({ fn }) => fn.sum('accepted').as('accepted'))
    .where('hour', 'in', hoursBetween(from, to))
    .where('key_id', 'in', keyIds)
    .executeTakeFirstOrThrow();
  return Number(accepted ?? 0);
}

/** Each hour is one index lookup. A range of hours would scan the rows of all other keys. */
function hoursBetween(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** The last use of each secret of these keys, if it was ever used. */
export async function readLastUses(db: Kysely<Tables>, keyIds: readonly string[]): Promise<LastUse[]> {
  return db
    .selectFrom('last_use')
    .leftJoin('usage_hour', (join) =>
      join
        .on(sql<boolean>`usage_hour.hour = last_use.at / ${sql.lit(msPerHour)}`)
        .onRef('usage_hour.key_id', '=', 'last_use.key_id')
        .onRef('usage_hour.hash', '=', 'last_use.hash'),
    )
    .select(['last_use.key_id as keyId', 'address', 'agent'])
    .select(({ fn }) => fn.coalesce('usage_hour.last_at', 'last_use.at').as('at'))
    .where('last_use.key_id', 'in', keyIds)
    .execute();
}

/** @returns the number of counts that were written */
function writeSlice(connection: DatabaseSync, usages: readonly Readonly<SecretCounts>[]): number {
  const begun = performance.now();
  const [hourly, last] = [connection.prepare(addToHour), connection.prepare(setLastUse)];
  let count = 0;
  for (const usage of usages) {
    if (count > 0 && performance.now() - begun > maxWriteMs) break;
    const { keyId, hash, hour, accepted, refused, lastMs, address, agent, isNewClient } = usage;
    const lastAt = lastMs < 0 ? null : hourStart(hour) + lastMs;
    const bytes = Buffer.from(hash, 'latin1');
    hourly.run(hour, keyId, bytes, accepted, refused, lastAt);
    if (accepted > 0 && isNewClient) last.run(keyId, bytes, lastAt, address, cleanUserAgent(agent));
    count += 1;
  }
  return count;
}
