import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { Tables } from '../database/schema.ts';
import type { Propagation } from '../propagation/propagation.ts';
import { PeriodicTask, scheduleTimer } from '../timers/periodic-task.ts';
import type { UsageReader } from '../usage/reader.ts';
import { AgePolicy } from './age-policy.ts';
import { IdlePolicy } from './idle-policy.ts';

/** ms between two searches for keys that a policy concerns, and until the first one, which must not slow down the start. */
const times = { interval: 10 * 60_000, first: 5000 };

/** What these searches need. */
interface Parts {
  db: Kysely<Tables>;
  propagation: Propagation;
  usage: Pick<UsageReader, 'lastOpenUse'>;
  log: Logger;
}

/** Creates the background tasks that warn about old keys and idle keys, and disable idle keys. */
export function createPolicyTasks({ db, propagation, usage, log }: Parts) {
  const failedFor = (policy: string) => (error: unknown, workspaceId: string) =>
    log.error(
      { err: error, policy, workspaceId },
      'the search for keys that a policy concerns failed for a workspace; retrying later',
    );
  const age = new AgePolicy({ db, propagation, now: Date.now, failed: failedFor('maxSecretAgeDays') });
  const idle = new IdlePolicy({
    db,
    propagation,
    lastOpenUse: (keyId) => usage.lastOpenUse(keyId),
    now: Date.now,
    failed: failedFor('maxKeyIdleDays'),
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
  const searches = [
    { policy: age, name: 'maxSecretAgeDays' },
    { policy: idle, name: 'maxKeyIdleDays' },
  ];
  const tasks = searches.map(
    ({ policy, name }) =>
      new PeriodicTask(() => policy.apply(), {
        interval: times.interval,
        failed: (error) =>
          log.error(
            { err: error, policy: name },
            'the search for keys that a policy concerns failed; retrying',
          ),
        schedule: scheduleTimer,
      }),
  );
  return {
    /** Call it when the server listens. */
    start: () => {
      for (const task of tasks) task.start(times.first);
    },
    stop: async () => {
      for (const { policy } of searches) policy.stop();
      await Promise.all(tasks.map((task) => task.stop()));
    },
  };
}
