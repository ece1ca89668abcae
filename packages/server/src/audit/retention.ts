import { setImmediate } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import { takeAdvisoryLock } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { systemActor } from '../events/actor.ts';
import { appendEvent } from '../events/events.ts';

/** Events that one transaction deletes. On SQLite, it blocks verification for some ms. */
const batchSize = 500;

/**
 * Deletes the old events at the start of each chain. Each deletion appends `audit.pruned` with the sequence number and
 * the hash of the last deleted event, which verification requires for a chain that does not start at 1. At least one
 * sealed event of each chain stays, because the next one refers to it.
 *
 * @param now epoch ms
 * @param retention ms
 */
export async function pruneEvents(kysely: Kysely<Tables>, now: number, retention: number): Promise<void> {
  const chains = await kysely
    .selectFrom('audit_event')
    .select('chain')
    .distinct()
    .where('sequence', 'is not', null)
    .where('at', '<', now - retention)
    .execute();
  for (const { chain } of chains) {
    while (await kysely.transaction().execute((db) => pruneBatch(db, chain, now, retention))) {
      // SQLite returns within one turn of the event loop, so this lets other work run.
      await setImmediate();
    }
  }
}

/** @returns whether there may be more to delete */
async function pruneBatch(
  db: Kysely<Tables>,
  chain: string,
  now: number,
  retention: number,
): Promise<boolean> {
  // Takes the sealer's lock, so that the end of the chain does not change.
  await takeAdvisoryLock(db, 'sealer');
  const oldest = await db
    .selectFrom('audit_event')
    .select(['sequence', 'hash', 'at'])
    .where('chain', '=', chain)
    .where('sequence', 'is not', null)
    .orderBy('sequence')
    .limit(batchSize + 1)
    .execute();
  const firstKept = oldest.findIndex(({ at }) => at >= now - retention);
  const last = oldest[(firstKept === -1 ? oldest.length - 1 : firstKept) - 1];
  if (last === undefined || last.sequence === null) return false;
  await db
    .deleteFrom('audit_event')
    .where('chain', '=', chain)
    .where('sequence', '<=', last.sequence)
    .execute();
  await appendEvent(db, {
    chain,
    at: now,
    actor: systemActor,
    action: 'audit.pruned',
    target: { kind: 'audit', id: chain, name: chain },
    details: {
      through: last.sequence,
      hash: last.hash,
      lastAt: new Date(last.at).toISOString(),
    },
  });
  return oldest.length > batchSize;
}
