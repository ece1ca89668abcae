import type { Logger } from 'pino';
import { lastWrite } from '../database/last-write.ts';
import type { Database } from '../database/open.ts';
import { KeyLimits } from './key-limits.ts';
import { minuteOf } from './sliding-window.ts';
import { WindowStore } from './window-store.ts';

interface Options {
  database: Database;
  log: Logger;
  /** Epoch ms. */
  now?: () => number;
}

/** ms between two looks for windows that count nothing any more; see KeyLimits. */
const sweepInterval = 1000;

/** The limits of keys, put together: what counts, and what becomes of it when the process stops. */
export interface KeptLimits {
  keys: KeyLimits;
  /** Goes on where the process before stopped. Called before the first request. */
  start(): Promise<void>;
  /** Writes what counts. Called when the last request has ended, and the database is still open. */
  stop(): Promise<void>;
}

export function keepLimits({ database, log, now = Date.now }: Options): KeptLimits {
  const store = database.kind === 'sqlite' ? new WindowStore(database) : undefined;
  const keys = new KeyLimits();
  let timer: NodeJS.Timeout | undefined;
  return {
    keys,
    start: async () => {
      // The minute before the current one still counts.
      for (const [keyId, window] of (await store?.read(minuteOf(now()) - 1)) ?? [])
        keys.restore(keyId, window);
      timer = setInterval(() => keys.sweep(now()), sweepInterval).unref();
    },
    stop: async () => {
      clearInterval(timer);
      const counting = [...keys.counting(now())];
      await lastWrite(async () => store?.save(counting)).catch((error) =>
        log.error({ err: error }, 'the limits could not be written; each key begins with a fresh one'),
      );
    },
  };
}
