/** Events of an audit log, for tests of its chain. */
import type { Kysely } from 'kysely';
import { toAuditEvent } from '../../packages/server/src/audit/chain.ts';
import type { AnchoredEvent } from '../../packages/server/src/audit/deletions.ts';
import { addToAnchor } from '../../packages/server/src/audit/verify.ts';
import type { Tables } from '../../packages/server/src/database/schema.ts';
import { systemActor } from '../../packages/server/src/events/actor.ts';
import type { NewEvent } from '../../packages/server/src/events/events.ts';
import { openTestDatabase } from './open-database.ts';

/** Epoch ms. */
export const start = 1_700_000_000_000;

/** The event of the i-th millisecond. */
export function testEvent(i: number, chain = 'ws_1'): NewEvent {
  return {
    chain,
    at: start + i,
    actor: { ...systemActor, name: 'Ünï “côde” \u2028 😀', userAgent: 'curl/8' },
    action: 'key.updated',
    target: { kind: 'key', id: `key_${i}`, name: `name ${i}` },
    changes: { rateLimit: { from: null, to: i }, name: { from: 'a', to: 'b' } },
  };
}

export type MutableAnchor = Map<string, Map<number, AnchoredEvent>>;

/** The sealed events of a chain. */
export const readSealedRows = async (db: Kysely<Tables>, chain = 'ws_1') =>
  db
    .selectFrom('audit_event')
    .selectAll()
    .where('chain', '=', chain)
    .where('sequence', 'is not', null)
    .orderBy('sequence')
    .execute();

/** The export of an operator. */
export async function exportAll(db: Kysely<Tables>): Promise<MutableAnchor> {
  const anchor: MutableAnchor = new Map();
  for (const row of await db.selectFrom('audit_event').selectAll().execute())
    addToAnchor(anchor, toAuditEvent(row));
  return anchor;
}

export const emptyAnchor: MutableAnchor = new Map();

/** A baseline long after all events, so that the retention may have deleted any of them. */
export const baselineWith = (anchor: MutableAnchor) => ({ anchor, retention: 1, now: start + 1e9 });

/** A database with an audit log, opened immediately. `emptied` deletes all events and resolves with the database. */
export function openAuditLog(which: 'sqlite' | 'postgres') {
  const opened = openTestDatabase(which);
  return {
    emptied: async () => {
      const { kysely } = (await opened).database;
      await kysely.deleteFrom('audit_event').execute();
      return kysely;
    },
    close: async () => (await opened).close(),
  };
}
