import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import type { SqliteDatabase } from '../database/sqlite.ts';
import { cleanUserAgent } from '../http/user-agent.ts';
import { dayOf } from './day-rows.ts';
import { hourStart } from './hours.ts';
import { SqliteUsageLog } from './log.ts';
import type { SecretCounts } from './pending-uses.ts';
import type { UsageSink } from './recorder.ts';
import { SqliteTotalsWriter } from './totals.ts';

/**
 * Maximum duration of a transaction in ms, without its commit and the few rows of workspaces: it blocks verification,
 * and a revoke waits for it. With many keys in use and one connection that sends requests back to back, more than one
 * request in a hundred meets a transaction, so this is the 99th percentile of latency. Shorter ones cost more: for the
 * same rows, 1 ms takes 7 % more CPU time than 2 ms, and 0.5 ms takes 60 % more.
 */
export const maxWriteMs = 1;

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

/** The tables from which old rows are deleted, each with its primary key, which starts with the time. */
const countTables = {
  usage_hour: ['hour', 'key_id, hash'],
  usage_refusal: ['hour', 'workspace_id, key_id, code'],
  usage_total: ['hour', 'workspace_id, outcome'],
  usage_day: ['day', 'owner, hash, outcome'],
  usage_client: ['day', 'owner'],
} as const;

const deletesOldest = Object.entries(countTables).map(([table, [time, rest]]) => ({
  time,
  statement: `DELETE FROM ${table} WHERE (${time}, ${rest}) IN
    (SELECT ${time}, ${rest} FROM ${table} WHERE ${time} < ? ORDER BY ${time} LIMIT ${maxDeleted})`,
}));

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
  /** Writes only the last uses of these counts. The same counts can be written later. */
  writeLastUses(counts: readonly Readonly<SecretCounts>[]): Promise<void>;
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
  readonly log: SqliteUsageLog;

  constructor(database: SqliteDatabase) {
    this.#database = database;
    this.log = new SqliteUsageLog(database);
  }

  async write(
    usages: readonly Readonly<SecretCounts>[],
    durable: boolean,
    written: (count: number) => void,
  ): Promise<void> {
    const options = { lockTimeoutMs: 0, durable };
    const work = (connection: DatabaseSync) => {
      const count = writeSlice(connection, usages);
      const last = usages[count - 1];
      if (last !== undefined) this.log.recordProgress(connection, last);
      return count;
    };
    await this.#database.transact(work, written, options);
  }

  async writeLastUses(usages: readonly Readonly<SecretCounts>[]): Promise<void> {
    const work = (connection: DatabaseSync) => {
      const last = connection.prepare(setLastUse);
      for (const usage of usages) writeLastUse(last, usage);
    };
    await this.#database.transact(work, () => undefined, { lockTimeoutMs: 0, durable: false });
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
    for (const { time, statement } of deletesOldest) {
      const oldest = time === 'hour' ? before : dayOf(before);
      const deleted = await this.#database.transact(
        (connection) => Number(connection.prepare(statement).run(oldest).changes),
        () => undefined,
        { lockTimeoutMs: 0, durable: false },
      );
      if (deleted === maxDeleted) return true;
    }
    return false;
  }
}

/** @returns the number of counts that were written */
function writeSlice(connection: DatabaseSync, usages: readonly Readonly<SecretCounts>[]): number {
  const begun = performance.now();
  const [hourly, last] = [connection.prepare(addToHour), connection.prepare(setLastUse)];
  const totals = new SqliteTotalsWriter(connection);
  let count = 0;
  for (const usage of usages) {
    if (count > 0 && performance.now() - begun > maxWriteMs) break;
    const { keyId, hash, hour, accepted, refused, changesLastUse } = usage;
    hourly.run(hour, keyId, Buffer.from(hash, 'latin1'), accepted, refused, lastUseAt(usage));
    if (accepted > 0 && changesLastUse) writeLastUse(last, usage);
    totals.add(usage);
    count += 1;
  }
  totals.end();
  return count;
}

function writeLastUse(statement: StatementSync, usage: Readonly<SecretCounts>): void {
  const { keyId, hash, address, agent } = usage;
  statement.run(keyId, Buffer.from(hash, 'latin1'), lastUseAt(usage), address, cleanUserAgent(agent));
}

/** Epoch ms of the last accepted use; null: none. */
export function lastUseAt({ hour, lastMs }: Readonly<SecretCounts>): number | null {
  return lastMs < 0 ? null : hourStart(hour) + lastMs;
}
