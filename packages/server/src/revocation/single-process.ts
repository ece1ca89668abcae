import { z } from 'zod';
import type { SqliteDatabase } from '../database/sqlite.ts';
import type { DeadHashJournal } from '../journal/journal.ts';
import type { SecretMemory } from '../verification/memory.ts';
import { type Revocation, revokeUndone } from './revocation.ts';

const hashRows = z.array(z.object({ hash: z.instanceof(Uint8Array) }));
const readBackRows = z.array(
  z.object({ hash: z.instanceof(Uint8Array), revoked: z.number().transform(Boolean) }),
);

/** The secrets of a key, and whether the transaction has revoked each. */
const readBack = `
  SELECT s.hash, k.revoked_at IS NOT NULL AND d.hash IS NOT NULL AS revoked
  FROM api_key k JOIN api_key_secret s ON s.key_id = k.id LEFT JOIN dead_hash d ON d.hash = s.hash
  WHERE k.id = ? AND k.workspace_id = ?`;

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
    async revoke({ keyId, workspaceId, by, at }) {
      const hashes = await database.transact((connection) => {
        connection
          .prepare(
            `UPDATE api_key SET revoked_at = ?, revoked_by = ?
               WHERE id = ? AND workspace_id = ? AND revoked_at IS NULL`,
          )
          .run(at, by, keyId, workspaceId);
        const rows = connection.prepare(readBack).all(keyId, workspaceId);
        const secrets = readBackRows.parse(rows);
        if (secrets.some(({ revoked }) => !revoked)) throw revokeUndone();
        return secrets.map(({ hash }) => hash);
      }, forget);
      if (hashes.length === 0) return undefined;
      // Also when it was revoked before: that time this may have failed.
      await journal.keep(hashes);
      return { effective: true, nodes: 1, waitedMs: 0 };
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
