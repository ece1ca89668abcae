import type { Logger } from 'pino';
import type { Propagation } from '../propagation/propagation.ts';
import { PeriodicTask, scheduleTimer } from '../timers/periodic-task.ts';
import type { FirstUse } from '../verification/result.ts';
import { GraceStarts } from './grace-starts.ts';
import { LapsedSecrets } from './lapsed-secrets.ts';

/** ms from the end of one run to the start of the next. A grace starts within 5 s, and a secret is retired within 60 s. */
const intervals = { start: 1000, retire: 5000 };

/** What happens to rotated keys in the background. */
export interface SecretTasks {
  /** Call it at the first use of a new secret. */
  firstUsed(use: FirstUse): void;
  /** Call it when the server listens. */
  start(): void;
  /** Call it when the last request has ended and the database is still open. */
  stop(): Promise<void>;
}

export function createSecretTasks(propagation: Propagation, log: Logger): SecretTasks {
  const graceStarts = new GraceStarts(propagation);
  const lapsed = new LapsedSecrets(propagation, Date.now);
  const starting = new PeriodicTask(() => graceStarts.write(), {
    interval: intervals.start,
    failed: (error) =>
      log.error(
        { err: error },
        'the end of rotated secrets could not be written after a first use; retrying',
      ),
    schedule: scheduleTimer,
  });
  const retiring = new PeriodicTask(() => lapsed.retire(), {
    interval: intervals.retire,
    failed: (error) =>
      log.error({ err: error }, 'secrets whose grace period has ended could not be retired; retrying'),
    schedule: scheduleTimer,
  });
  return {
    firstUsed: (use) => graceStarts.add(use),
    start: () => {
      starting.start();
      retiring.start(0);
    },
    stop: async () => {
      lapsed.stop();
      await Promise.all([starting.stop(), retiring.stop()]);
      // What cannot be written now starts with the next use.
      await graceStarts.write().catch(() => undefined);
    },
  };
}
