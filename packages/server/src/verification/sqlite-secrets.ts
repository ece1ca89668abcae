import type { DatabaseSync } from 'node:sqlite';
import type { RateLimit } from '@soku/contract/rate-limits';
import type { Hold } from '../database/directory-hold.ts';
import { columns, joinedTables, readStored } from './known-secret.ts';
import type { SecretSource } from './secret-source.ts';

const mayKeep = () => true;

/**
 * Reads committed secrets. It is synchronous, so that reading and caching happen in one turn, and no change can come
 * between them.
 *
 * @param reader a connection that sees only committed data
 * @param hold proves that no other process uses the data directory
 * @param usualLimit default limit if neither the key nor its workspace has one
 */
export function sqliteSecrets(reader: DatabaseSync, hold: Hold, usualLimit: RateLimit): SecretSource {
  const lookUp = reader.prepare(`SELECT ${columns} FROM ${joinedTables} WHERE s.hash = ?`);
  return {
    read: (hash) => {
      if (!hold.holds()) hold.demand();
      return { stored: readStored(lookUp.get(Buffer.from(hash, 'latin1')), usualLimit), mayKeep };
    },
  };
}
