import { z } from 'zod';
import type { Database } from '../database/open.ts';

/** How every verifier learns of a change. */
export interface Revocation {
  /**
   * Kills a key. Resolves only when no verifier accepts it any more; calling it again changes nothing.
   *
   * @returns whether the workspace has a key with this id
   */
  revoke(request: { keyId: string; workspaceId: string; by: string; at: number }): Promise<boolean>;
  /** Tells the verifiers that something else about a key has changed, such as its name. */
  changed(keyId: string): Promise<void>;
}

const hashRows = z.array(z.object({ hash: z.instanceof(Uint8Array) }));

/**
 * One process, one file: the commit and the eviction happen in one synchronous turn, so there is no moment at
 * which the database says "revoked" and a verification still answers from the cache.
 *
 * @param forget drops secrets from the verification cache
 */
export function singleProcessRevocation(
  database: Database,
  forget: (hashes: Iterable<Uint8Array>) => void,
): Revocation {
  return {
    async revoke({ keyId, workspaceId, by, at }) {
      const hashes = await database.transact((connection) => {
        connection
          .prepare(
            `UPDATE api_key SET revoked_at = ?, revoked_by = ?
               WHERE id = ? AND workspace_id = ? AND revoked_at IS NULL`,
          )
          .run(at, by, keyId, workspaceId);
        const rows = connection
          .prepare(
            `SELECT hash FROM api_key_secret
               WHERE key_id = (SELECT id FROM api_key WHERE id = ? AND workspace_id = ?)`,
          )
          .all(keyId, workspaceId);
        return hashRows.parse(rows).map((row) => row.hash);
      }, forget);
      // Dead in the database and here. But if the lock's file was removed, another process may have been started on
      // the same data, with a cache that nobody evicts: then "no server accepts it" must not be said.
      if (!database.isAlone()) {
        throw new Error(
          'the lock file of the data directory was removed; restart every process that uses it',
        );
      }
      return hashes.length > 0;
    },
    async changed(keyId) {
      // The change is committed. Reading waits for nobody, so it cannot be told as failed any more.
      const rows = database.reader.prepare('SELECT hash FROM api_key_secret WHERE key_id = ?').all(keyId);
      forget(hashRows.parse(rows).map((row) => row.hash));
    },
  };
}
