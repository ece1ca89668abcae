import { msPerDay } from '@soku/contract/instant';
import { usageRetentionHours } from '@soku/contract/usage';
import type { Logger } from 'pino';
import { WriteProgress, writeWithRetries } from '../database/last-write.ts';
import type { Database } from '../database/open.ts';
import { type Later, later, PeriodicTask } from '../timers/periodic-task.ts';
import { hourOf } from './hours.ts';
import { Pace } from './pace.ts';
import { PostgresUsageStore } from './postgres-store.ts';
import { UsageReader } from './reader.ts';
import { UsageRecorder, type UsageSink, type UsageSource } from './recorder.ts';
import { SqliteUsageStore } from './store.ts';

interface Options {
  database: Database;
  /** What counts. */
  source: UsageSource;
  log: Logger;
  /** Epoch ms. */
  now?: () => number;
  /** ms from the end of a flush to the beginning of the next one. */
  flushInterval?: number;
  later?: Later;
}

/** ms between two looks for counts that are too old. */
const pruneInterval = msPerDay;

/** The recording of usage, put together: what counts, what reads, and what runs by itself. */
export interface UsageRecording {
  recorder: UsageRecorder;
  reader: UsageReader;
  /** Writes that failed. */
  failures: () => number;
  /** Begins to flush and to prune. Called when the server listens, so that neither delays the start. */
  start(): void;
  /**
   * Writes what is left. Called when the last request has ended, and the database is still open.
   *
   * @param progressed called whenever a part of it is written
   * @returns whether it is written; if not, the log says why
   */
  stop(progressed?: () => void): Promise<boolean>;
}

export function recordUsage({
  database,
  source,
  log,
  now = Date.now,
  flushInterval = 4000,
  later: start = later,
}: Options): UsageRecording {
  const store =
    database.kind === 'sqlite' ? new SqliteUsageStore(database) : new PostgresUsageStore(database);
  const pace = new Pace();
  const parts = new WriteProgress();
  const sink: UsageSink = {
    write: async (...args) => {
      await store.write(...args);
      parts.written();
    },
  };
  const recorder = new UsageRecorder(sink, source, pace);
  let stopping = false;
  const flushing = new PeriodicTask(() => recorder.flush(), {
    interval: flushInterval,
    failed: (error) =>
      log.error({ err: error }, 'usage could not be written; it is kept in memory and tried again'),
    later: start,
  });
  const prune = () => pace.step(() => store.prune(hourOf(now()) + 1 - usageRetentionHours));
  const pruning = new PeriodicTask(
    async () => {
      while (!stopping && (await prune()));
    },
    {
      interval: pruneInterval,
      failed: (error) =>
        log.error({ err: error }, 'old usage could not be deleted; it is tried again tomorrow'),
      later: start,
    },
  );
  return {
    recorder,
    reader: new UsageReader(store, recorder),
    failures: () => flushing.failures,
    start: () => {
      flushing.start();
      pruning.start(0);
    },
    stop: async (progressed) => {
      stopping = true;
      parts.onPart = progressed;
      pace.hurry();
      await Promise.all([flushing.stop(), pruning.stop()]);
      try {
        await writeWithRetries(
          () => recorder.flush(),
          () => parts.last,
        );
        return true;
      } catch (error) {
        log.error({ err: error }, 'the last usage could not be written');
        return false;
      }
    },
  };
}
