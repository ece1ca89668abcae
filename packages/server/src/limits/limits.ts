import type { Logger } from 'pino';
import { writeWithRetries } from '../database/final-write.ts';
import type { Database } from '../database/open.ts';
import type { PostgresDatabase } from '../database/postgres.ts';
import type { SqliteDatabase } from '../database/sqlite.ts';
import { PeriodicTask, scheduleTimer } from '../timers/periodic-task.ts';
import { type ClusterMember, ClusterTime } from './cluster-time.ts';
import { GrantRounds } from './grant-rounds.ts';
import { type GrantedWindow, Grants } from './grants.ts';
import { PostgresGrants } from './postgres-grants.ts';
import { type LimitWindow, minuteOf } from './sliding-window.ts';
import { WindowStore } from './window-store.ts';

/** The windows of all keys. */
export interface LimitWindows {
  /** Returns the window of a key, creating it if necessary. Valid until the next call. */
  ofKey(keyId: string): GrantedWindow;
  /** Restores the window that a key had in the previous process. */
  restore(keyId: string, window: LimitWindow): void;
  /** The windows that still affect a limit. @param now epoch ms */
  counting(now: number): Iterable<readonly [string, LimitWindow]>;
  /** Drops some windows that no longer affect a limit. Called once per second. @param now epoch ms */
  sweep(now: number): void;
}

interface Options {
  database: Database;
  log: Logger;
  /** Epoch ms. */
  now?: () => number;
  windows: LimitWindows;
  /** The registration of this process, if there are several. */
  member?: ClusterMember | undefined;
}

/** ms between two removals of expired windows, in memory (`sweep`) and in the database (`prune`). */
const intervals = { sweep: 1000, prune: 60_000 };

/** The rate limits of keys, including their storage across restarts. */
export interface Limits {
  /** Only with a database that several nodes share. */
  grants: Grants | undefined;
  /** Number of failed statements. */
  failures: () => number;
  /** Restores the state of the previous process. Call it before the first request. */
  start(): Promise<void>;
  /** Saves the windows. Call it after the last request, while the database is still open. */
  stop(): Promise<void>;
}

export function createLimits({
  database,
  log,
  now = Date.now,
  windows,
  member = { id: '', holds: () => false },
}: Options): Limits {
  const backend =
    database.kind === 'sqlite'
      ? singleProcessBackend(database, windows, now)
      : clusterBackend(database, { now, windows, member, log });
  let timer: NodeJS.Timeout | undefined;
  return {
    grants: backend.grants,
    failures: backend.failures,
    start: async () => {
      await backend.start();
      timer = setInterval(() => windows.sweep(backend.time()), intervals.sweep).unref();
    },
    stop: async () => {
      clearInterval(timer);
      await writeWithRetries(backend.stop).catch((error) =>
        log.error(
          { err: error },
          'rate-limit windows could not be saved; every key starts with its full limit',
        ),
      );
    },
  };
}

/** The part that differs between one process and several. */
interface Backend extends Pick<Limits, 'grants' | 'failures' | 'start' | 'stop'> {
  /** Epoch ms. */
  time(): number;
}

function singleProcessBackend(database: SqliteDatabase, windows: LimitWindows, now: () => number): Backend {
  const store = new WindowStore(database);
  return {
    grants: undefined,
    // It writes only at shutdown, when metrics are no longer read.
    failures: () => 0,
    time: now,
    start: async () => {
      // The previous minute still counts.
      for (const [keyId, window] of await store.read(minuteOf(now()) - 1)) windows.restore(keyId, window);
    },
    stop: () => store.save([...windows.counting(now())]),
  };
}

function clusterBackend(
  { verificationPool }: PostgresDatabase,
  {
    now,
    windows,
    member,
    log,
  }: { now: () => number; windows: LimitWindows; member: ClusterMember; log: Logger },
): Backend {
  const store = new PostgresGrants(verificationPool);
  const time = new ClusterTime(member);
  const rounds = new GrantRounds({
    store,
    member,
    time,
    received: (...granted) => grants.receive(...granted),
    now,
    schedule: scheduleTimer,
    failed: (error) =>
      log.error({ err: error }, 'the database does not grant rate-limit quota; earlier grants remain in use'),
    recovered: () => log.info('the database grants rate-limit quota again'),
  });
  const grants = new Grants({ time, rounds, windowOf: (keyId) => windows.ofKey(keyId) });
  const pruning = new PeriodicTask(() => store.prune(), {
    interval: intervals.prune,
    failed: (error) =>
      log.warn({ err: error }, 'old rate-limit windows could not be deleted; retrying later'),
    schedule: scheduleTimer,
  });
  return {
    grants,
    failures: () => rounds.failures + pruning.failures,
    time: () => time.of(now()),
    start: async () => {
      await rounds.start();
      pruning.start();
    },
    stop: async () => {
      await Promise.all([pruning.stop(), rounds.stop()]);
    },
  };
}
