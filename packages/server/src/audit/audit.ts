import { msPerDay } from '@soku/contract/instant';
import type { Logger } from 'pino';
import type { Database } from '../database/open.ts';
import { PeriodicTask, type Schedule, scheduleTimer } from '../timers/periodic-task.ts';
import { pruneEvents } from './retention.ts';
import { sealEvents } from './sealer.ts';

/** Time in ms between two checks for unsealed events. */
const sealInterval = 500;

/** Time in ms between two checks for events that are past their retention. */
const pruneInterval = msPerDay;

/** Delay in ms before the first deletion of old events. It is not urgent and must not slow down the start. */
const firstPrune = 60_000;

interface Options {
  database: Pick<Database, 'kysely'>;
  retentionDays: number;
  log: Logger;
  /** Epoch ms. */
  now?: () => number;
  schedule?: Schedule;
}

/** The background work of the audit log on every node: sealing events and deleting old ones. */
export function createAudit({
  database: { kysely },
  retentionDays,
  log,
  now = Date.now,
  schedule: start = scheduleTimer,
}: Options) {
  const seal = () => sealEvents(kysely);
  const sealLast = () =>
    seal().catch((error) => {
      log.error({ err: error }, 'the last audit events could not be sealed; the next start will seal them');
    });
  const sealing = new PeriodicTask(seal, {
    interval: sealInterval,
    failed: (error) => log.error({ err: error }, 'audit events could not be sealed; retrying'),
    schedule: start,
  });
  const pruning = new PeriodicTask(() => pruneEvents(kysely, now(), retentionDays * msPerDay), {
    interval: pruneInterval,
    failed: (error) => log.error({ err: error }, 'old audit events could not be deleted; retrying'),
    schedule: start,
  });
  return {
    start: () => {
      sealing.start();
      pruning.start(firstPrune);
    },
    /** Seals the last events before it stops, because no other process may seal them for a long time. */
    stop: async () => {
      await Promise.all([sealing.stop(), pruning.stop()]);
      await sealLast();
    },
    /** Seals events that other parts of the server have appended while it stops. */
    sealLast,
  };
}
