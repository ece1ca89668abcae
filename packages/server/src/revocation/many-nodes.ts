import { type Kysely, sql } from 'kysely';
import pg from 'pg';
import { z } from 'zod';
import { codeOf } from '../code-of.ts';
import { lockRow } from '../database/dialect.ts';
import type { PostgresDatabase } from '../database/postgres.ts';
import type { Tables } from '../database/schema.ts';
import type { DeadHashJournal } from '../journal/journal.ts';
import type { Clock } from './clock.ts';
import { others, planRevoke, revocableFamily } from './descendants.ts';
import type { VerifierNode } from './node.ts';
import { type Effect, type Revocation, type RevokeRequest, revokeUndone } from './revocation.ts';

/**
 * Many processes share a PostgreSQL, each with a cache of its own. Triggers publish each change at its commit, and a
 * call returns when every node has applied it, or cannot answer from its cache any more (docs/revocation.md).
 */
export function manyNodesRevocation(
  database: PostgresDatabase,
  node: Pick<VerifierNode, 'settle'>,
  clock: Clock,
  journal: Pick<DeadHashJournal, 'keep'>,
): Revocation {
  const settle = () => node.settle(clock.monotonic());
  return {
    async revoke(request) {
      const { isNew, hashes, descendants } = request.descendants
        ? await revokeFamily(database.kysely, request)
        : { ...(await revokeAndReadBack(database, request)), descendants: 0 };
      if (hashes.length === 0) return undefined;
      // Whoever revoked it may still be waiting, for the other nodes or for a synchronous standby, which a commit of
      // nothing would not wait for. So it is published again.
      if (!isNew) await sql`SELECT soku_publish('key', ${request.keyId}, NULL)`.execute(database.kysely);
      const [{ nodes, waitedMs }] = await Promise.all([settle(), journal.keep(hashes)]);
      return { effective: true, nodes, waitedMs: Math.ceil(waitedMs), descendants } satisfies Effect;
    },
    async keyChanged() {
      await settle();
    },
    async workspaceChanged() {
      await settle();
    },
  };
}

const readBackSchema = z.array(z.object({ hash: z.instanceof(Uint8Array) }));

/** SQLSTATE of a division by zero. */
const notRevoked = '22012';

/**
 * Revokes a key and reads that back, in one transaction and one round trip. The triggers that publish at the commit run
 * before the reading, and so does any other that could undo the change there.
 *
 * @returns whether it was not revoked before, and the hashes of its secrets; none when the workspace has no such key
 * @throws {RequestError} internal_error when the database did not keep it; then nothing was committed
 */
async function revokeAndReadBack(
  database: PostgresDatabase,
  { keyId, workspaceId, by, at }: RevokeRequest,
): Promise<{ isNew: boolean; hashes: Uint8Array[] }> {
  const key = `id = ${pg.escapeLiteral(keyId)} AND workspace_id = ${pg.escapeLiteral(workspaceId)}`;
  try {
    const [update, , secrets] = await database.batch([
      `UPDATE api_key SET revoked_at = ${at}, revoked_by = ${pg.escapeLiteral(by)} WHERE ${key} AND revoked_at IS NULL`,
      'SET CONSTRAINTS ALL IMMEDIATE',
      // The division fails, and with it the transaction, when a secret is not revoked.
      `SELECT s.hash, 1 / (k.revoked_at IS NOT NULL AND d.hash IS NOT NULL)::int
       FROM (SELECT * FROM api_key WHERE ${key}) k
         JOIN api_key_secret s ON s.key_id = k.id LEFT JOIN dead_hash d ON d.hash = s.hash`,
    ]);
    const rows = readBackSchema.parse(secrets?.rows);
    return { isNew: update?.rowCount !== 0, hashes: rows.map(({ hash }) => hash) };
  } catch (error) {
    throw codeOf(error) === notRevoked ? revokeUndone() : error;
  }
}

/**
 * The same for a key with its descendants. It reads back after the commit: to run the triggers of the commit before it
 * would hold the lock of all changes while the transaction waits for this process.
 *
 * @throws {RequestError} internal_error when the database did not keep it
 */
async function revokeFamily(
  kysely: Kysely<Tables>,
  request: RevokeRequest,
): Promise<{ isNew: boolean; hashes: Uint8Array[]; descendants: number }> {
  const { keyId, workspaceId, by, at } = request;
  const plan = await kysely.transaction().execute(async (db) => {
    // As each creation does: one that was first is seen by the next statement, and one that is later finds its creator
    // revoked. It also lets two of these, and keys that change each other, go one after the other.
    await lockRow(db, 'workspace', workspaceId);
    const family = planRevoke(await revocableFamily(db, keyId, workspaceId).execute());
    if (family === undefined || family.revoke.length === 0) return family;
    await db
      .updateTable('api_key')
      .set({ revoked_at: at, revoked_by: by })
      .where(sql<boolean>`id = ANY(${family.revoke})`)
      .where('workspace_id', '=', workspaceId)
      .where('revoked_at', 'is', null)
      .execute();
    return family;
  });
  if (plan === undefined) return { isNew: false, hashes: [], descendants: 0 };
  const { rows } = await sql<{ hash: Uint8Array; revoked: boolean }>`
    SELECT s.hash, k.revoked_at IS NOT NULL AND d.hash IS NOT NULL AS revoked
    FROM api_key k JOIN api_key_secret s ON s.key_id = k.id LEFT JOIN dead_hash d ON d.hash = s.hash
    WHERE k.id = ANY(${plan.keep})`.execute(kysely);
  if (rows.some(({ revoked }) => !revoked)) throw revokeUndone();
  const hashes = rows.map(({ hash }) => hash);
  return { isNew: plan.revoke.length > 0, hashes, descendants: others(plan.revoke, keyId) };
}
