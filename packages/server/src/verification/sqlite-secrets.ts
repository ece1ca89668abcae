import type { DatabaseSync } from 'node:sqlite';
import type { RateLimit } from '@soku/contract/rate-limits';
import type { LockMonitor } from '../database/directory-lock-monitor.ts';
import type { SecretSource } from './secret-source.ts';
import { parseStoredSecret, secretColumns, secretTables } from './stored-secret.ts';

const mayCache = () => true;

/**
 * Reads committed secrets. It is synchronous, so that reading and caching happen in one turn, and no change can come
 * between them.
 *
 * @param reader a connection that sees only committed data
 * @param lockMonitor proves that no other process uses the data directory
 * @param fallbackLimit default limit if neither the key nor its workspace has one
 */
export function sqliteSecrets(
  reader: DatabaseSync,
  lockMonitor: LockMonitor,
  fallbackLimit: RateLimit,
): SecretSource {
  const lookUp = reader.prepare(`SELECT ${secretColumns} FROM ${secretTables} WHERE s.hash = ?`);
  return {
    read: (hash) => {
      if (!lockMonitor.holds()) lockMonitor.checkNow();
      return {
        stored: parseStoredSecret(lookUp.get(Buffer.from(hash, 'latin1')), fallbackLimit),
        mayCache: mayCache,
      };
    },
  };
}
