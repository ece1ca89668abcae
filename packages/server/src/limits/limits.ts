import type { Logger } from 'pino';
import { lastWrite, Parts } from '../database/last-write.ts';
import type { Database } from '../database/open.ts';
import type { PostgresDatabase } from '../database/postgres.ts';
import type { SqliteDatabase } from '../database/sqlite.ts';
import { later, Repeating } from '../timers/repeating.ts';
import { KeyLimits } from './key-limits.ts';
import { SharedLimits } from './shared-limits.ts';
import { SharedWindows } from './shared-windows.ts';
import { minuteOf, type Window } from './sliding-window.ts';
import { WindowStore } from './window-store.ts';

interface Options {
  database: Database;
  log: Logger;
  /** Epoch ms. */
  now?: () => number;
  /** Windows that others keep. @param now epoch ms */
  windows?: (now: number) => Iterable<readonly [string, Window]>;
  /** How many nodes there are, with this one; 0: not known yet. Default: this one alone. */
  nodes?: (() => number) | undefined;
}

/** ms between two looks for windows that count nothing any more, in memory (see KeyLimits) and in the database. */
const intervals = { sweep: 1000, prune: 60_000 };

/** The limits of keys, put together: what counts, and what becomes of it when the process stops. */
export interface KeptLimits {
  keys: KeyLimits;
  /** Only when the database is one that several nodes share. */
  shared: SharedLimits | undefined;
  /** Writes that failed. */
  failures: () => number;
  /** Goes on where the process before stopped. Called before the first request. */
  start(): Promise<void>;
  /**
   * Writes what counts. Called when the last request has ended, and the database is still open.
   *
   * @param progressed called whenever a part of it is written
   */
  stop(progressed?: () => void): Promise<void>;
}

export function keepLimits({
  database,
  log,
  now = Date.now,
  windows = () => [],
  nodes = () => 1,
}: Options): KeptLimits {
  const keys = new KeyLimits();
  const parts = new Parts();
  const kept =
    database.kind === 'sqlite'
      ? keepAlone(database, keys, now, windows)
      : keepTogether(database, keys, now, nodes, log, parts);
  let timer: NodeJS.Timeout | undefined;
  return {
    keys,
    shared: kept.shared,
    failures: kept.failures,
    start: async () => {
      await kept.start();
      timer = setInterval(() => keys.sweep(kept.time()), intervals.sweep).unref();
    },
    stop: async (progressed) => {
      clearInterval(timer);
      parts.told = progressed;
      await lastWrite(kept.stop, () => parts.last).catch((error) =>
        log.error({ err: error }, 'the limits could not be written; each key begins with a fresh one'),
      );
    },
  };
}

/** What differs between one process and several. */
interface Kept {
  shared: SharedLimits | undefined;
  failures(): number;
  /** Epoch ms. */
  time(): number;
  start(): Promise<void>;
  /** May be called again when it failed. */
  stop(): Promise<void>;
}

function keepAlone(
  database: SqliteDatabase,
  keys: KeyLimits,
  now: () => number,
  windows: (now: number) => Iterable<readonly [string, Window]>,
): Kept {
  const store = new WindowStore(database);
  let last: (readonly [string, Window])[] | undefined;
  return {
    shared: undefined,
    // It writes at the stop only, and then nothing reads the metrics any more.
    failures: () => 0,
    time: now,
    start: async () => {
      // The minute before the current one still counts.
      for (const [keyId, window] of await store.read(minuteOf(now()) - 1)) keys.restore(keyId, window);
    },
    stop: () => {
      // Windows that are handed over are so once, and a stop that failed is tried again.
      last ??= [...keys.counting(now()), ...windows(now())];
      return store.save(last);
    },
  };
}

function keepTogether(
  { verificationPool }: PostgresDatabase,
  keys: KeyLimits,
  now: () => number,
  nodes: () => number,
  log: Logger,
  parts: Parts,
): Kept {
  const store = new SharedWindows(verificationPool);
  let failures = 0;
  const shared = new SharedLimits({
    keys,
    store: {
      tell: async (tellings) => {
        try {
          const answer = await store.tell(tellings);
          parts.written();
          return answer;
        } catch (error) {
          failures += 1;
          throw error;
        }
      },
      read: () => store.read(),
    },
    nodes,
    now,
    later,
    failed: (error) =>
      log.error({ err: error }, 'requests could not be counted together with other nodes; each has its part'),
    recovered: () => log.info('requests are counted together with other nodes again'),
  });
  const pruning = new Repeating(() => store.prune(), {
    interval: intervals.prune,
    failed: (error) => log.warn({ err: error }, 'old limits could not be deleted; it is tried again'),
    later,
  });
  return {
    shared,
    failures: () => failures + pruning.failures,
    time: () => shared.time(now()),
    start: async () => {
      await shared.start();
      pruning.start();
    },
    stop: async () => {
      await pruning.stop();
      await shared.stop();
    },
  };
}
