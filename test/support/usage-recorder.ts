/** A recorder of usage whose transactions a test controls. */
import assert from 'node:assert/strict';
import { sql } from 'kysely';
import type { SqliteDatabase } from '../../packages/server/src/database/sqlite.ts';
import { HistoryReader } from '../../packages/server/src/usage/history-reader.ts';
import { hourStart } from '../../packages/server/src/usage/hours.ts';
import { Pacer } from '../../packages/server/src/usage/pacer.ts';
import { UsageReader } from '../../packages/server/src/usage/reader.ts';
import { UsageRecorder, type UsageSink } from '../../packages/server/src/usage/recorder.ts';
import { SqliteUsageStore } from '../../packages/server/src/usage/store.ts';
import { SecretCache } from '../../packages/server/src/verification/secret-cache.ts';

/** Epoch hours. */
export const firstHour = 500_000;

/** The conditions that a test controls. */
export interface World {
  now: number;
  /** Number of transactions that succeed. All later ones fail after they have written their rows. */
  untilFailure: number;
  /** Called before each transaction, and in the pause after it. */
  meanwhile: () => Promise<void>;
  /** Of each committed transaction: whether it waited for the disk. */
  commits: { durable: boolean | undefined }[];
}

export const newWorld = (): World => ({
  now: hourStart(firstHour),
  untilFailure: Number.POSITIVE_INFINITY,
  meanwhile: async () => undefined,
  commits: [],
});

export async function emptyTables(database: SqliteDatabase): Promise<void> {
  const counts = ['usage_hour', 'usage_day', 'usage_client', 'usage_total', 'usage_refusal', 'last_use'];
  const tables = [...counts, 'usage_log', 'usage_flush'];
  for (const table of tables) {
    await sql`DELETE FROM ${sql.table(table)}`.execute(database.kysely);
  }
}

/**
 * Starts a recorder as a process does. It writes at most two rows per transaction.
 *
 * @param valid how many of the six secrets fit into the cache
 * @param perPass how many secrets a pass of a flush takes from the tables
 */
export async function startRecorder(database: SqliteDatabase, world: World, valid: number, perPass?: number) {
  const cache = new SecretCache({ valid, rejected: 1 });
  const failable: SqliteDatabase = {
    ...database,
    transact: async (work, committed, options) => {
      const failing: typeof work = (connection) => {
        const result = work(connection);
        world.untilFailure -= 1;
        if (world.untilFailure < 0) throw new Error('the disk is full');
        return result;
      };
      const done = await database.transact(failing, committed, options);
      world.commits.push({ durable: options?.durable });
      return done;
    },
  };
  const store = new SqliteUsageStore(failable);
  await store.log.recover(cache.pending);
  const sink: UsageSink['write'] = async (usages, durable, written) => {
    const handed = JSON.stringify(usages);
    await world.meanwhile();
    assert.equal(JSON.stringify(usages), handed, 'values that were passed to the sink must not change');
    await store.write(usages.slice(0, 2), durable, written);
  };
  const pace = new Pacer(() => world.meanwhile());
  const recorder = new UsageRecorder({ write: sink }, cache, pace, store.log, perPass);
  /** Number of counts that are in no row of `usage_hour`. */
  const unwritten = () =>
    cache.tables.reduce((sum, { countedRows }) => sum + countedRows, cache.pending.size);
  const [reader, history] = [new UsageReader(store, recorder), new HistoryReader(store, cache)];
  return { cache, recorder, reader, history, unwritten };
}
