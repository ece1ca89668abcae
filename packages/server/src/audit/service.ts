import { Readable } from 'node:stream';
import type { AuditFilter, AuditPage, ListAudit } from '@soku/contract/audit';
import type { Kysely } from 'kysely';
import { cutPage } from '../database/page.ts';
import type { Tables } from '../database/schema.ts';
import { readEvents } from './reader.ts';

/** Events of one read of an export. */
const slice = 500;

/** The audit log, for the members of a workspace and for keys with `audit:read`. */
export class AuditService {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async list(workspaceId: string, { limit, cursor, ...filter }: ListAudit): Promise<AuditPage> {
    const events = await readEvents(this.#db, workspaceId, { ...filter, after: cursor, limit: limit + 1 });
    const { page: data, nextCursor } = cutPage(events, limit);
    return { data, nextCursor };
  }

  /** All events as JSON Lines, read as fast as the client takes them. */
  export(workspaceId: string, filter: AuditFilter): Readable {
    return Readable.from(this.#slices(workspaceId, filter), { objectMode: false, highWaterMark: 64 * 1024 });
  }

  async *#slices(workspaceId: string, filter: AuditFilter): AsyncGenerator<string> {
    let after: string | undefined;
    for (;;) {
      const events = await readEvents(this.#db, workspaceId, { ...filter, after, limit: slice });
      if (events.length > 0) yield events.map((event) => `${JSON.stringify(event)}\n`).join('');
      if (events.length < slice) return;
      after = events.at(-1)?.id;
    }
  }
}
