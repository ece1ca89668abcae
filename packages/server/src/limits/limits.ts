import type { Logger } from 'pino';
import { lastWrite } from '../database/last-write.ts';
import type { Database } from '../database/open.ts';
import type { PostgresDatabase } from '../database/postgres.ts';
import type { SqliteDatabase } from '../database/sqlite.ts';
import { later, Repeating } from '../timers/repeating.ts';
import { type ClusterMember, ClusterTime } from './cluster-time.ts';
import { GrantRounds } from './grant-rounds.ts';
import { type GrantedWindow, Grants } from './grants.ts';
import { KeyLimits } from './key-limits.ts';
import { PostgresGrants } from './postgres-grants.ts';
import { minuteOf, type Window } from './sliding-window.ts';
import { WindowStore } from './window-store.ts';

interface Options {
  database: Database;
  log: Logger;
  /** Epoch ms. */
  now?: () => number;
  keys?: KeyLimits;
  /** Windows that others keep. @param now epoch ms */
  windows?: (now: number) => Iterable<readonly [string, Window]>;
  /** The window of a key, wherever it is kept. */
  windowOf?: (keyId: string) => GrantedWindow;
  /** This process as one of several. */
  member?: ClusterMember | undefined;
}

/** ms between two looks for windows that count nothing any more, in memory (see KeyLimits) and in the database. */
const intervals = { sweep: 1000, prune: 60_000 };

/** The limits of keys, put together: what counts, and what becomes of it when the process stops. */
export interface KeptLimits {
  keys: KeyLimits;
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
  keys = new KeyLimits(),
  windows = () => [],
  windowOf = (keyId) => keys.windowOf(keyId),
  member = { id: '', holds: () => false },
}: Options): KeptLimits {
  const kept =
    database.kind === 'sqlite'
      ? keepAlone(database, keys, now, windows)
      : keepTogether(database, { now, windowOf, member, log });
  let timer: NodeJS.Timeout | undefined;
  return {
    keys,
    grants: kept.grants,
    failures: kept.failures,
    start: async () => {
      await kept.start();
      timer = setInterval(() => keys.sweep(kept.time()), intervals.sweep).unref();
    },
    stop: async () => {
      clearInterval(timer);
      await lastWrite(kept.stop).catch((error) =>
        log.error({ err: error }, 'the limits could not be written; each key begins with a fresh one'),
      );
    },
  };
}

/** What differs between one process and several. */
interface Kept extends Pick<KeptLimits, 'grants' | 'failures' | 'start' | 'stop'> {
  /** Epoch ms. */
  time(): number;
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
    grants: undefined,
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
  {
    now,
    windowOf,
    member,
    log,
  }: { now: () => number; member: ClusterMember; log: Logger; windowOf: (keyId: string) => GrantedWindow },
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
      log.error({ err: error }, 'the database grants no requests of keys; what it granted before is used'),
    recovered: () => log.info('the database grants requests of keys again'),
  });
  const grants = new Grants({ time, rounds, windowOf });
  const pruning = new Repeating(() => store.prune(), {
    interval: intervals.prune,
    failed: (error) => log.warn({ err: error }, 'old limits could not be deleted; it is tried again'),
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
