import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { Tables } from '../database/schema.ts';
import type { SecretUse } from '../keys/present.ts';
import type { Propagation } from '../propagation/propagation.ts';
import { later, PeriodicTask } from '../timers/periodic-task.ts';
import { lastUseStep } from '../usage/hours.ts';
import { IdlePolicy } from './idle-policy.ts';

/** ms between two searches for idle keys, and until the first one, which must not slow down the start. */
const times = { interval: 10 * 60_000, first: 5000 };

/** What the search for idle keys needs. */
interface Parts {
  db: Kysely<Tables>;
  propagation: Propagation;
  /** The last use of each secret of these keys that was ever accepted, by key. */
  lastUses: (keyIds: readonly string[]) => Promise<ReadonlyMap<string, readonly SecretUse[]>>;
  log: Logger;
}

/** Creates the background task that warns about idle keys and disables them. */
export function createIdleTask({ db, propagation, lastUses, log }: Parts) {
  const policy = new IdlePolicy({
    db,
    propagation,
    usedAfter: async (keys) => usedAfter(keys, await lastUses(keys.map(({ id }) => id))),
    now: Date.now,
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

/** The stored last use of a key, on which `since` depends, is the start of five minutes. */
function usedAfter(
  keys: readonly { id: string; since: number }[],
  uses: ReadonlyMap<string, readonly SecretUse[]>,
): Set<string> {
  const isUsed = ({ id, since }: { id: string; since: number }) =>
    (uses.get(id) ?? []).some(({ at }) => at - (at % lastUseStep) > since);
  return new Set(keys.filter(isUsed).map(({ id }) => id));
}
