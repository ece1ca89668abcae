import type { RateLimit } from '@soku/contract/rate-limits';
import type { Scope } from '@soku/contract/scopes';
import { z } from 'zod';
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
  /** What ForwardAuth writes of the key; made at the first use. */
  text?: string | undefined;
}

/** What the database says of a secret. */
export type StoredSecret = { key: VerifiedKey } | RevokedSecret;

interface RevokedSecret {
  keyId: string;
  workspaceId: string;
  /** Epoch ms, when it is known. */
  revokedAt: number | null;
}

/** The row that a hash leads to. */
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
export const columns = `
  k.id, k.workspace_id, k.name, k.scopes, k.expires_at, k.revoked_at,
  k.rate_limit AS key_limit, w.rate_limit AS workspace_limit,
  CASE WHEN EXISTS (SELECT 1 FROM dead_hash d WHERE d.hash = s.hash) THEN 1 ELSE 0 END AS dead`;

/** Where they stand. */
export const tables = `
  api_key_secret s JOIN api_key k ON k.id = s.key_id JOIN workspace w ON w.id = k.workspace_id`;

/**
 * What a row of `lookUp` means.
 *
 * @param row undefined when there is none
 * @param usualLimit of keys that have none of their own, in workspaces that have none either
 */
export function readStored(row: unknown, usualLimit: RateLimit): StoredSecret | undefined {
  if (row === undefined) return undefined;
  const { id, workspace_id, name, scopes, expires_at, revoked_at, key_limit, workspace_limit, dead } =
    rowSchema.parse(row);
  if (revoked_at !== null || dead !== 0) {
    return { keyId: id, workspaceId: workspace_id, revokedAt: revoked_at };
  }
  const limit = readRateLimit(key_limit) ?? readRateLimit(workspace_limit) ?? usualLimit;
  return {
    key: {
      keyId: id,
      workspaceId: workspace_id,
      name,
      scopes: readScopes(scopes),
      expiresAt: expires_at ?? Number.POSITIVE_INFINITY,
      rateLimit: limit === 'off' ? null : limit,
      text: undefined,
    },
  };
}
