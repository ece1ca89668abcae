import type { DatabaseSync } from 'node:sqlite';
import { msPerHour } from '@soku/contract/instant';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../database/schema.ts';
import type { SqliteDatabase } from '../database/sqlite.ts';
import { cleanUserAgent } from '../http/user-agent.ts';
import { startOf } from './hours.ts';
import type { SecretCounts } from './pending-uses.ts';
import type { UsageSink } from './recorder.ts';

/**
 * How long one transaction may write, in ms, without its commit: verification stands still meanwhile, and a revoke
 * waits for it. With many keys in use, and one connection that sends request after request, more than one request in a
 * hundred meets a transaction, so its length is the 99th percentile. Shorter ones cost more: 1 ms takes 7 % more CPU time
 * for the same rows than 2 ms, 0.5 ms 60 % more.
 */
const longestWrite = 1;

/** How many rows one transaction deletes, for the same reason. */
const mostDeleted = 500;

const addToHour = `
  INSERT INTO usage_hour (hour, key_id, hash, accepted, refused, last_at) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (hour, key_id, hash) DO UPDATE SET
    accepted = usage_hour.accepted + excluded.accepted, refused = usage_hour.refused + excluded.refused,
    last_at = CASE WHEN excluded.last_at > coalesce(usage_hour.last_at, 0)
      THEN excluded.last_at ELSE usage_hour.last_at END`;

/** Never back in time: an hour that could not be written may come after the next one. */
const setLastUse = `
  INSERT INTO last_use (key_id, hash, at, address, agent) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (key_id, hash) DO UPDATE SET at = excluded.at, address = excluded.address, agent = excluded.agent
  WHERE excluded.at >= last_use.at`;

const deleteOldest = `
  DELETE FROM usage_hour WHERE (hour, key_id, hash) IN (
    SELECT hour, key_id, hash FROM usage_hour WHERE hour < ? ORDER BY hour LIMIT ${mostDeleted})`;

/** What was counted in one hour. */
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

/** Where usage is kept, and read from. */
export interface UsageStore extends UsageSink {
  /**
   * Reads, and combines what is stored with what is in memory, so that each use is in one of the two.
   *
   * @param combine called in a turn in which memory has just what the database did not have when it was read
   */
  undisturbed<Stored, T>(
    read: (db: Kysely<Tables>) => Promise<Stored>,
    combine: (stored: Stored) => T,
  ): Promise<T>;
  /**
   * Deletes counts by their age, a slice at a time.
   *
   * @param before epoch hours; those of this hour stay
   * @returns whether there may be more to delete
   */
  prune(before: number): Promise<boolean>;
}

/** Usage in SQLite. It never waits for another program that has locked the file, because it can be written later. */
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

  /** The connection of the writes is taken meanwhile, so nothing can be written. */
  async undisturbed<Stored, T>(
    read: (db: Kysely<Tables>) => Promise<Stored>,
    combine: (stored: Stored) => T,
  ): Promise<T> {
    return this.#database.kysely.connection().execute(async (db) => combine(await read(db)));
  }

  /**
   * Deletes counts by their age, a slice at a time.
   *
   * @param before epoch hours; those of this hour stay
   * @returns whether there may be more to delete
   */
  async prune(before: number): Promise<boolean> {
    const deleted = await this.#database.transact(
      (connection) => Number(connection.prepare(deleteOldest).run(before).changes),
      () => undefined,
      { patience: 0, durable: false },
    );
    return deleted === mostDeleted;
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

/** Each hour is one search. A range of hours would be read through, with the rows of all other keys. */
function hoursBetween(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** The last use of each secret of these keys that was ever used. */
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

/** @returns how many of them were written */
function writeSlice(connection: DatabaseSync, usages: readonly Readonly<SecretCounts>[]): number {
  const begun = performance.now();
  const [hourly, last] = [connection.prepare(addToHour), connection.prepare(setLastUse)];
  let count = 0;
  for (const usage of usages) {
    if (count > 0 && performance.now() - begun > longestWrite) break;
    const { keyId, hash, hour, accepted, refused, lastMs, address, agent, isNewClient } = usage;
    const lastAt = lastMs < 0 ? null : startOf(hour) + lastMs;
    const bytes = Buffer.from(hash, 'latin1');
    hourly.run(hour, keyId, bytes, accepted, refused, lastAt);
    if (accepted > 0 && isNewClient) last.run(keyId, bytes, lastAt, address, cleanUserAgent(agent));
    count += 1;
  }
  return count;
}
