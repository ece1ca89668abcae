import type { Logger } from 'pino';
import { lastWrite } from '../database/last-write.ts';
import type { Database } from '../database/open.ts';
import type { PostgresDatabase } from '../database/postgres.ts';
import type { SqliteDatabase } from '../database/sqlite.ts';
import { later, Repeating } from '../timers/repeating.ts';
import { type ClusterMember, ClusterTime } from './cluster-time.ts';
import { GrantRounds } from './grant-rounds.ts';
import { type GrantedWindow, Grants } from './grants.ts';
import { PostgresGrants } from './postgres-grants.ts';
import { minuteOf, type Window } from './sliding-window.ts';
import { WindowStore } from './window-store.ts';

/** The windows of all keys. */
export interface Windows {
  /** The window of a key, created when it has none. Good until the next call. */
  ofKey(keyId: string): GrantedWindow;
  /** Gives a key the window that it had in the process before. */
  restore(keyId: string, window: Window): void;
  /** The windows that still count something. @param now epoch ms */
  counting(now: number): Iterable<readonly [string, Window]>;
  /** Drops some of those that count nothing. Called once a second. @param now epoch ms */
  sweep(now: number): void;
}

interface Options {
  database: Database;
  log: Logger;
  /** Epoch ms. */
  now?: () => number;
  windows: Windows;
  /** This process as one of several. */
  member?: ClusterMember | undefined;
}

/** ms between two looks for windows that count nothing any more, in memory (see KeyLimits) and in the database. */
const intervals = { sweep: 1000, prune: 60_000 };

/** The limits of keys, put together: what counts, and what becomes of it when the process stops. */
export interface KeptLimits {
  /** Only when the database is one that several nodes share. */
  grants: Grants | undefined;
  /** Writes that failed. */
  failures: () => number;
  /** Goes on where the process before stopped. Called before the first request. */
  start(): Promise<void>;
  /** Writes what counts. Called when the last request has ended, and the database is still open. */
  stop(): Promise<void>;
}

export function keepLimits({
  database,
  log,
  now = Date.now,
  windows,
  member = { id: '', holds: () => false },
}: Options): KeptLimits {
  const kept =
    database.kind === 'sqlite'
      ? keepAlone(database, windows, now)
      : keepTogether(database, { now, windows, member, log });
  let timer: NodeJS.Timeout | undefined;
  return {
    grants: kept.grants,
    failures: kept.failures,
    start: async () => {
      await kept.start();
      timer = setInterval(() => windows.sweep(kept.time()), intervals.sweep).unref();
    },
    stop: async () => {
      clearInterval(timer);
      await lastWrite(kept.stop).catch((error) =>
        log.error({ err: error }, 'rate-limit windows could not be saved; every key starts with its full limit'),
      );
    },
  };
}

/** What differs between one process and several. */
interface Kept extends Pick<KeptLimits, 'grants' | 'failures' | 'start' | 'stop'> {
  /** Epoch ms. */
  time(): number;
}

function keepAlone(database: SqliteDatabase, windows: Windows, now: () => number): Kept {
  const store = new WindowStore(database);
  return {
    grants: undefined,
    // It writes at the stop only, and then nothing reads the metrics any more.
    failures: () => 0,
    time: now,
    start: async () => {
      // The minute before the current one still counts.
      for (const [keyId, window] of await store.read(minuteOf(now()) - 1)) windows.restore(keyId, window);
    },
    stop: () => store.save([...windows.counting(now())]),
  };
}

function keepTogether(
  { verificationPool }: PostgresDatabase,
  { now, windows, member, log }: { now: () => number; windows: Windows; member: ClusterMember; log: Logger },
): Kept {
  const store = new PostgresGrants(verificationPool);
  const time = new ClusterTime(member);
  const rounds = new GrantRounds({
    store,
    member,
    time,
    received: (...granted) => grants.receive(...granted),
    now,
    later,
    failed: (error) =>
      log.error({ err: error }, 'the database does not grant rate-limit quota; earlier grants remain in use'),
    recovered: () => log.info('the database grants rate-limit quota again'),
  });
  const grants = new Grants({ time, rounds, windowOf: (keyId) => windows.ofKey(keyId) });
  const pruning = new Repeating(() => store.prune(), {
    interval: intervals.prune,
    failed: (error) => log.warn({ err: error }, 'old rate-limit windows could not be deleted; retrying later'),
    later,
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
