import { setImmediate } from 'node:timers/promises';
import type { AuditEvent } from '@soku/contract/audit';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { toAuditEvent } from './chain.ts';

/** Events per read of an export. On SQLite, a read blocks verification for some ms. */
const batchSize = 100;

/**
 * Streams events as JSON Lines, newest first, and reads them only as fast as the lines are consumed.
 *
 * @param read reads the next events, those after an id
 */
export async function* exportLines(
  read: (page: { after: string | undefined; limit: number }) => Promise<AuditEvent[]>,
): AsyncGenerator<string[]> {
  let after: string | undefined;
  for (;;) {
    const events = await read({ after, limit: batchSize });
    if (events.length > 0) yield events.map((event) => `${JSON.stringify(event)}\n`);
    if (events.length < batchSize) return;
    after = events.at(-1)?.id;
    // SQLite returns within one turn of the event loop, so this lets other work run.
    await setImmediate();
  }
}

/**
 * Streams the whole log, or one chain, as JSON Lines.
 *
 * @param chain undefined for all chains
 */
export function exportChains(db: Kysely<Tables>, chain: string | undefined): AsyncGenerator<string[]> {
  return exportLines(async ({ after, limit }) => {
    const rows = await db
      .selectFrom('audit_event')
      .selectAll()
      .$if(chain !== undefined, (query) => query.where('chain', '=', chain ?? ''))
      .$if(after !== undefined, (query) => query.where('id', '<', after ?? ''))
      .orderBy('id', 'desc')
      .limit(limit)
      .execute();
    return rows.map(toAuditEvent);
  });
}
