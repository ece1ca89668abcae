import { sql } from 'kysely';
import type { PostgresDatabase } from '../database/postgres.ts';
import type { DeadHashJournal } from '../journal/journal.ts';
import type { Clock } from './clock.ts';
import type { VerifierNode } from './node.ts';
import type { Effect, Revocation } from './revocation.ts';

/**
 * Many processes share a PostgreSQL, each with a cache of its own. Triggers publish each change at its commit, and a
 * call returns when every node has applied it, or cannot answer from its cache any more (docs/revocation.md).
 */
export function manyNodesRevocation(
  { kysely }: PostgresDatabase,
  node: Pick<VerifierNode, 'settle'>,
  clock: Clock,
  journal: Pick<DeadHashJournal, 'keep'>,
): Revocation {
  const settle = () => node.settle(clock.monotonic());
  return {
    async revoke({ keyId, workspaceId, by, at }) {
      const { numUpdatedRows } = await kysely
        .updateTable('api_key')
        .set({ revoked_at: at, revoked_by: by })
        .where('id', '=', keyId)
        .where('workspace_id', '=', workspaceId)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) {
        if (!(await exists(kysely, keyId, workspaceId))) return undefined;
        // Whoever revoked it may still be waiting, for the other nodes or for a synchronous standby, which a commit of
        // nothing would not wait for. So it is published again.
        await sql`SELECT soku_publish('key', ${keyId}, NULL)`.execute(kysely);
      }
      const [{ nodes, waitedMs }] = await Promise.all([settle(), keep(kysely, journal, keyId)]);
      return { effective: true, nodes, waitedMs: Math.ceil(waitedMs) } satisfies Effect;
    },
    async keyChanged() {
      await settle();
    },
    async workspaceChanged() {
      await settle();
    },
  };
}

/** Keeps the hashes of a key whose revoke is committed. */
async function keep(
  kysely: PostgresDatabase['kysely'],
  journal: Pick<DeadHashJournal, 'keep'>,
  keyId: string,
): Promise<void> {
  const rows = await kysely.selectFrom('api_key_secret').select('hash').where('key_id', '=', keyId).execute();
  await journal.keep(rows.map((row) => row.hash));
}

/** Whether the workspace has the key; if so, its revoke is committed, because the update found nothing to do. */
async function exists(kysely: PostgresDatabase['kysely'], id: string, workspaceId: string): Promise<boolean> {
  const row = await kysely
    .selectFrom('api_key')
    .select('id')
    .where('id', '=', id)
    .where('workspace_id', '=', workspaceId)
    .executeTakeFirst();
  return row !== undefined;
}
