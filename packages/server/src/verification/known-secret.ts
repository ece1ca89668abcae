import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import type { RateLimit, Scope } from '../keys/schemas.ts';
import { readScopes } from '../keys/stored-scopes.ts';
import { readRateLimit } from '../limits/rate-limit.ts';

/** A key that is good right now. */
export interface VerifiedKey {
  keyId: string;
  workspaceId: string;
  name: string;
  scopes: readonly Scope[];
  /** Epoch ms; Infinity is never. */
  expiresAt: number;
  /** Requests a minute; null is no limit. */
  rateLimit: number | null;
  /** What the fast lane writes of the key; made at the first use. */
  text?: string | undefined;
}

/** What the database says of a secret. */
export type StoredSecret = { key: VerifiedKey } | { keyId: string; revokedAt: number | null };

/** The row that a hash leads to, as SQLite gives it. */
const rowSchema = z.object({
  id: z.string(),
  workspace_id: z.string(),
  name: z.string(),
  scopes: z.string(),
  expires_at: z.number().nullable(),
  revoked_at: z.number().nullable(),
  key_limit: z.number().nullable(),
  workspace_limit: z.number().nullable(),
  dead: z.number(),
});

/** dead_hash has the last word, whatever the key's own row says. */
const lookUpByHash = `
  SELECT k.id, k.workspace_id, k.name, k.scopes, k.expires_at, k.revoked_at,
         k.rate_limit AS key_limit, w.rate_limit AS workspace_limit,
         EXISTS (SELECT 1 FROM dead_hash d WHERE d.hash = s.hash) AS dead
  FROM api_key_secret s JOIN api_key k ON k.id = s.key_id JOIN workspace w ON w.id = k.workspace_id
  WHERE s.hash = ?`;

/** Reads what is committed of a secret. Synchronous, so that a read and its caching are one turn. */
export class SecretReader {
  readonly #lookUp: StatementSync;

  readonly #usualLimit: RateLimit;

  /**
   * @param reader a connection that sees only what is committed
   * @param usualLimit of keys that have none of their own, in workspaces that have none either
   */
  constructor(reader: DatabaseSync, usualLimit: RateLimit) {
    this.#lookUp = reader.prepare(lookUpByHash);
    this.#usualLimit = usualLimit;
  }

  /**
   * @param hash SHA-256 of the whole key, as 32 latin-1 characters
   * @returns undefined when no key ever had this hash
   * @throws when the database does not answer
   */
  read(hash: string): StoredSecret | undefined {
    const found = this.#lookUp.get(Buffer.from(hash, 'latin1'));
    if (found === undefined) return undefined;
    const row = rowSchema.parse(found);
    if (row.revoked_at !== null || row.dead !== 0) return { keyId: row.id, revokedAt: row.revoked_at };
    const limit = readRateLimit(row.key_limit) ?? readRateLimit(row.workspace_limit) ?? this.#usualLimit;
    return {
      key: {
        keyId: row.id,
        workspaceId: row.workspace_id,
        name: row.name,
        scopes: readScopes(row.scopes),
        expiresAt: row.expires_at ?? Number.POSITIVE_INFINITY,
        rateLimit: limit === 'off' ? null : limit,
        text: undefined,
      },
    };
  }
}
