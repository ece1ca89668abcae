import type { AuditEvent } from '@soku/contract/audit';
import type { Kysely } from 'kysely';
import { toAuditEvent } from '../audit/chain.ts';
import type { Tables } from '../database/schema.ts';

// Sealed audit events are the outbox of everything that leaves the server because of an event. Their sequence has no
// gaps and they are sealed in its order, so a reader that stores the last sequence that it has handled misses none.

/** A sealed event, which has a sequence. */
export type SealedEvent = AuditEvent & { sequence: number };

/**
 * The events that follow a position in a chain, in order. Events that retention has deleted are skipped.
 *
 * @param chain the ID of a workspace, or `accountsChain`
 * @param after the sequence of the last event that was handled; 0: none
 */
export async function readSealedEvents(
  db: Kysely<Tables>,
  chain: string,
  after: number,
  limit: number,
): Promise<SealedEvent[]> {
  const rows = await db
    .selectFrom('audit_event')
    .selectAll()
    .where('chain', '=', chain)
    .where('sequence', '>', after)
    .orderBy('sequence')
    .limit(limit)
    .execute();
  return rows.flatMap((row) =>
    row.sequence === null ? [] : [{ ...toAuditEvent(row), sequence: row.sequence }],
  );
}

/** The sequence of the last sealed event of a chain; 0 if there is none. */
export async function lastSequence(db: Kysely<Tables>, chain: string): Promise<number> {
  const row = await db
    .selectFrom('audit_event')
    .select('sequence')
    .where('chain', '=', chain)
    .where('sequence', 'is not', null)
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.sequence ?? 0;
}
