import type { DatabaseSync } from 'node:sqlite';
import type { RateLimit } from '@soku/contract/rate-limits';
import type { Hold } from '../database/directory-hold.ts';
import { columns, joinedTables, readStored } from './known-secret.ts';
import type { SecretSource } from './secret-source.ts';

const mayKeep = () => true;

/**
 * Reads what is committed of a secret. Synchronous, so that a read and its caching are one turn, between which no
 * change can come.
 *
 * @param reader a connection that sees only what is committed
 * @param hold without which another process may have committed to other files
 * @param usualLimit of keys that have none of their own, in workspaces that have none either
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
