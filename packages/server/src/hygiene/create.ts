import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { Tables } from '../database/schema.ts';
import type { Propagation } from '../propagation/propagation.ts';
import { later, PeriodicTask } from '../timers/periodic-task.ts';
import type { UsageReader } from '../usage/reader.ts';
import { IdlePolicy } from './idle-policy.ts';

/** ms between two searches for idle keys, and until the first one, which must not slow down the start. */
const times = { interval: 10 * 60_000, first: 5000 };

/** What the search for idle keys needs. */
interface Parts {
  db: Kysely<Tables>;
  propagation: Propagation;
  usage: Pick<UsageReader, 'lastOpenUse'>;
  log: Logger;
}

/** Creates the background task that warns about idle keys and disables them. */
export function createIdleTask({ db, propagation, usage, log }: Parts) {
  const policy = new IdlePolicy({
    db,
    propagation,
    lastOpenUse: (keyId) => usage.lastOpenUse(keyId),
    now: Date.now,
    failed: (error, workspaceId) =>
      log.error(
        { err: error, workspaceId },
        'the search for idle keys failed for a workspace; retrying later',
      ),
    paused: (nodes) =>
      log.warn(
        { nodes },
        'idle keys are neither warned about nor disabled while these servers do not report that their usage is written',
      ),
    reset: ({ watchedUntil, now }) =>
      log.warn(
        { lastRunAt: new Date(watchedUntil).toISOString(), now: new Date(now).toISOString() },
        'no server ran for more than a day, or the clock has jumped: the idle time of all keys starts over',
      ),
  });
  const task = new PeriodicTask(() => policy.apply(), {
    interval: times.interval,
    failed: (error) => log.error({ err: error }, 'the search for idle keys failed; retrying'),
    later,
  });
  return {
    /** Call it when the server listens. */
    start: () => task.start(times.first),
    stop: async () => {
      policy.stop();
      await task.stop();
    },
  };
}
