import { msPerDay } from '@soku/contract/instant';
import type { Logger } from 'pino';
import { createDueTask } from '../timers/due-task.ts';
import { PeriodicTask, type Schedule } from '../timers/periodic-task.ts';
import type { ClientDays } from './client-days.ts';
import type { ClientWriter } from './client-writer.ts';
import type { EndedUses } from './ended-uses.ts';

interface Options {
  /** Deletes some old counts. @returns whether there may be more to delete */
  prune: () => Promise<boolean>;
  ended: EndedUses;
  clients: ClientDays;
  clientWriter: ClientWriter;
  log: Logger;
  schedule: Schedule;
}

/** ms between two searches for old counts. */
const pruneInterval = msPerDay;

/** ms between two writes of uses of revoked keys. */
const endedInterval = 4000;

/**
 * ms between two writes of clients, whose numbers are samples: a crash can lose what comes between. They are also written
 * when there are many, so this is checked more often.
 */
const clientInterval = 60_000;
const clientCheckInterval = 4000;

/** What is done with usage besides writing the counts. */
export function backgroundTasks({ prune, ended, clients, clientWriter, log, schedule }: Options): {
  start(): void;
  stop(): Promise<unknown>;
} {
  let stopping = false;
  const failed = (message: string) => (error: unknown) => log.error({ err: error }, message);
  const pruning = new PeriodicTask(
    async () => {
      while (!stopping && (await prune()));
    },
    {
      interval: pruneInterval,
      failed: failed('old usage could not be deleted; retrying tomorrow'),
      schedule,
    },
  );
  const alerting = new PeriodicTask(() => ended.write(), {
    interval: endedInterval,
    failed: failed('uses of revoked keys could not be recorded; retrying'),
    schedule,
  });
  const writeClientsWhenDue = createDueTask(
    clientInterval,
    () => clients.isFilling,
    () => clientWriter.write(() => stopping),
  );
  const sampling = new PeriodicTask(writeClientsWhenDue, {
    interval: clientCheckInterval,
    failed: failed('addresses and programs could not be recorded; retrying'),
    schedule,
  });
  return {
    start: () => {
      alerting.start();
      sampling.start();
      pruning.start(0);
    },
    stop: () => {
      stopping = true;
      // Not awaited, because the last counts must not wait for clients, whose table may be locked.
      void sampling.stop();
      return Promise.all([pruning, alerting].map((task) => task.stop()));
    },
  };
}
