import type { DatabaseSync } from 'node:sqlite';
import type { CompiledQuery } from 'kysely';
import { z } from 'zod';
import type { SqliteDatabase } from '../database/sqlite.ts';
import type { DeadHashJournal } from '../journal/journal.ts';
import type { SecretMemory } from '../verification/memory.ts';
import { others, planRevoke, revocableFamily } from './descendants.ts';
import { type Revocation, type RevokeRequest, revokeUndone } from './revocation.ts';

const hashRows = z.array(z.object({ hash: z.instanceof(Uint8Array) }));
const readBackRows = z.array(
  z.object({ hash: z.instanceof(Uint8Array), revoked: z.number().transform(Boolean) }),
);

const familyRows = z.array(z.object({ id: z.string(), revokedAt: z.number().nullable() }));
const parameterList = z.array(z.union([z.string(), z.number()]));

/** The secrets of keys, and whether the transaction has revoked each. */
const readBack = `
  SELECT s.hash, k.revoked_at IS NOT NULL AND d.hash IS NOT NULL AS revoked
  FROM api_key k JOIN api_key_secret s ON s.key_id = k.id LEFT JOIN dead_hash d ON d.hash = s.hash
  WHERE k.id IN (SELECT value FROM json_each(?)) AND k.workspace_id = ?`;

/**
 * One process, one file: the commit and the eviction happen in one synchronous turn, so there is no moment at
 * which the database says "revoked" and a verification still answers from the cache. A process that has lost its data
 * directory answers from its cache no more and revokes nothing, because another one may use the same file
 * (database/directory-hold.ts).
 *
 * @param memory of the verifier
 */
export function singleProcessRevocation(
  database: SqliteDatabase,
  memory: Pick<SecretMemory, 'forget' | 'forgetWorkspace'>,
  journal: Pick<DeadHashJournal, 'keep' | 'onKilled'>,
): Revocation {
  const forget = (hashes: Iterable<Uint8Array>) => memory.forget(hashes);
  journal.onKilled(forget);
  return {
    async revoke(request) {
      const { keyId, workspaceId } = request;
      const family = request.descendants && revocableFamily(database.kysely, keyId, workspaceId).compile();
      const { hashes, descendants } = await database.transact(
        (connection) => writeRevoke(connection, request, family),
        (written) => forget(written.hashes),
      );
      if (hashes.length === 0) return undefined;
      // Also when it was revoked before: that time this may have failed.
      await journal.keep(hashes);
      return { effective: true, nodes: 1, waitedMs: 0, descendants };
    },
    async keyChanged(keyId) {
      // The change is committed. Reading waits for nobody, so it cannot be told as failed any more.
      const rows = database.reader.prepare('SELECT hash FROM api_key_secret WHERE key_id = ?').all(keyId);
      forget(hashRows.parse(rows).map((row) => row.hash));
    },
    async workspaceChanged(workspaceId) {
      memory.forgetWorkspace(workspaceId);
    },
  };
}

/**
 * Revokes a key, and its descendants when there is a query for them.
 *
 * @returns the hashes that no verification may accept any more: none when the workspace has no such key
 * @throws {RequestError} too_many_descendants; internal_error when the database does not keep it
 */
function writeRevoke(
  connection: DatabaseSync,
  { keyId, workspaceId, by, at }: RevokeRequest,
  family: CompiledQuery | false,
): { hashes: Uint8Array[]; descendants: number } {
  const plan = family === false ? undefined : planRevoke(readFamily(connection, family));
  const { revoke, keep } = plan ?? { revoke: [keyId], keep: [keyId] };
  connection
    .prepare(
      `UPDATE api_key SET revoked_at = ?, revoked_by = ?
         WHERE id IN (SELECT value FROM json_each(?)) AND workspace_id = ? AND revoked_at IS NULL`,
    )
    .run(at, by, JSON.stringify(revoke), workspaceId);
  const secrets = readBackRows.parse(connection.prepare(readBack).all(JSON.stringify(keep), workspaceId));
  if (secrets.some(({ revoked }) => !revoked)) throw revokeUndone();
  return { hashes: secrets.map(({ hash }) => hash), descendants: others(revoke, keyId) };
}

function readFamily(connection: DatabaseSync, { sql, parameters }: CompiledQuery) {
  return familyRows.parse(connection.prepare(sql).all(...parameterList.parse(parameters)));
}
