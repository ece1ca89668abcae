import { dayLength } from '@soku/contract/instant';
import type { Logger } from 'pino';
import type { Database } from '../database/open.ts';
import { later, Repeating } from '../timers/repeating.ts';
import { pruneEvents } from './retention.ts';
import { sealEvents } from './sealer.ts';

/** ms between two checks for unsealed events. */
const sealInterval = 500;

/** ms between two checks for events that are past their retention. */
const pruneInterval = dayLength;

/** ms from the start to the first deletion, which is not urgent: it must not slow the start down. */
const firstPrune = 60_000;

interface Options {
  database: Database;
  retentionDays: number;
  log: Logger;
}

/** The background work of the audit log, on every node: sealing, and deletion by age. */
export function keepAudit({ database: { kysely }, retentionDays, log }: Options) {
  const seal = () => sealEvents(kysely);
  const sealing = new Repeating(seal, {
    interval: sealInterval,
    failed: (error) => log.error({ err: error }, 'audit events could not be sealed; it is tried again'),
    later,
  });
  const pruning = new Repeating(() => pruneEvents(kysely, Date.now(), retentionDays * dayLength), {
    interval: pruneInterval,
    failed: (error) => log.error({ err: error }, 'old audit events could not be deleted; it is tried again'),
    later,
  });
  return {
    start: () => {
      sealing.start();
      pruning.start(firstPrune);
    },
    /** Seals the last events first: there may be no other process to do it for a long time. */
    stop: async () => {
      await Promise.all([sealing.stop(), pruning.stop()]);
      await seal().catch((error) => {
        log.error({ err: error }, 'the last audit events could not be sealed; the next start seals them');
      });
    },
  };
}
