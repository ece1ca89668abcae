import { Readable } from 'node:stream';
import type { AuditFilter, AuditPage, ListAudit } from '@soku/contract/audit';
import type { Kysely } from 'kysely';
import { paginate } from '../database/page.ts';
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
    const { page: data, nextCursor } = paginate(events, limit);
    return { data, nextCursor };
  }

  /**
   * Streams all events as JSON Lines, as fast as the client reads them, which can take hours.
   *
   * @param authorize called before each read; it throws once the caller has lost access, which ends the stream
   */
  export(workspaceId: string, filter: AuditFilter, authorize: () => Promise<void>): Readable {
    const lines = exportLines(async (page) => {
      await authorize();
      return readEvents(this.#db, workspaceId, { ...filter, ...page });
    });
    return Readable.from(joined(lines), { objectMode: false, highWaterMark: 64 * 1024 });
  }
}

async function* joined(batches: AsyncIterable<string[]>): AsyncGenerator<string> {
  for await (const lines of batches) yield lines.join('');
}
