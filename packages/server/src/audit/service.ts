import { Readable } from 'node:stream';
import type { AuditFilter, AuditPage, ListAudit } from '@soku/contract/audit';
import type { Kysely } from 'kysely';
import { cutPage } from '../database/page.ts';
import type { Tables } from '../database/schema.ts';
import { exportLines } from './export.ts';
import { readEvents } from './reader.ts';

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

  /**
   * All events as JSON Lines, read as fast as the client takes them, which can be hours.
   *
   * @param demand called before each read: throws when the caller may not read any more, and the stream then breaks off
   */
  export(workspaceId: string, filter: AuditFilter, demand: () => Promise<void>): Readable {
    const lines = exportLines(async (page) => {
      await demand();
      return readEvents(this.#db, workspaceId, { ...filter, ...page });
    });
    return Readable.from(joined(lines), { objectMode: false, highWaterMark: 64 * 1024 });
  }
}

async function* joined(slices: AsyncIterable<string[]>): AsyncGenerator<string> {
  for await (const lines of slices) yield lines.join('');
}
