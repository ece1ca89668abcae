import type { Kysely, Migration } from 'kysely';
import { isPostgres } from '../dialect.ts';

/**
 * Up to when the uses on each node are written, for the policy that disables idle keys. Nodes of earlier versions do not
 * write it, so no key is disabled while one of them runs. With SQLite there is only one server, which knows its uses.
 */
export const writtenUsage: Migration = {
  async up(db: Kysely<unknown>) {
    if (!isPostgres(db)) return;
    await db.schema.alterTable('verifier_node').addColumn('usage_written_at', 'bigint').execute();
  },
};
