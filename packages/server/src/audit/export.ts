import { setImmediate } from 'node:timers/promises';
import type { AuditEvent } from '@soku/contract/audit';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { toEvent } from './chain.ts';

/** Events of one read of an export. On SQLite a read blocks verification for some ms. */
const slice = 100;

/**
 * Events as JSON Lines, newest first, read only as fast as the lines are taken.
 *
 * @param read the next events, those after an id
 */
export async function* exportLines(
  read: (page: { after: string | undefined; limit: number }) => Promise<AuditEvent[]>,
): AsyncGenerator<string[]> {
  let after: string | undefined;
  for (;;) {
    const events = await read({ after, limit: slice });
    if (events.length > 0) yield events.map((event) => `${JSON.stringify(event)}\n`);
    if (events.length < slice) return;
    after = events.at(-1)?.id;
    // SQLite returns in the same turn of the event loop.
    await setImmediate();
  }
}

/**
 * The lines of the whole log, or of one chain.
 *
 * @param chain undefined for all of them
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
    return rows.map(toEvent);
  });
}
