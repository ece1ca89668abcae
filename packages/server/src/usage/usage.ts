import { dayLength } from '@soku/contract/instant';
import { keptHours } from '@soku/contract/usage';
import type { Logger } from 'pino';
import { lastWrite, Parts } from '../database/last-write.ts';
import type { Database } from '../database/open.ts';
import { type Later, later, Repeating } from '../timers/repeating.ts';
import { hourOf } from './hours.ts';
import { Pace } from './pace.ts';
import { PostgresUsageStore } from './postgres-store.ts';
import { UsageReader } from './reader.ts';
import { flushTime, UsageRecorder, type UsageSink, type UsageSource } from './recorder.ts';
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

/** In ms. A crash loses the uses of two flushes and of one interval at most: 5 s. */
const usualInterval = 5000 - 2 * flushTime;

/** ms between two looks for counts that are too old. */
const pruneInterval = dayLength;

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
  flushInterval = usualInterval,
  later: start = later,
}: Options): UsageRecording {
  const store =
    database.kind === 'sqlite' ? new SqliteUsageStore(database) : new PostgresUsageStore(database);
  const pace = new Pace();
  const parts = new Parts();
  const sink: UsageSink = {
    write: async (...args) => {
      await store.write(...args);
      parts.written();
    },
  };
  const recorder = new UsageRecorder(sink, source, pace);
  let stopping = false;
  const flushing = new Repeating(() => recorder.flush(), {
    interval: flushInterval,
    failed: (error) =>
      log.error({ err: error }, 'usage could not be written; it is kept in memory and tried again'),
    later: start,
  });
  const prune = () => pace.step(() => store.prune(hourOf(now()) + 1 - keptHours));
  const pruning = new Repeating(
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
      parts.told = progressed;
      pace.hurry();
      await Promise.all([flushing.stop(), pruning.stop()]);
      try {
        await lastWrite(
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
