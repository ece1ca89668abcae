import type { RateLimit } from '@soku/contract/rate-limits';
import { z } from 'zod';
import { parseStoredEnvironment } from '../database/stored-environment.ts';
import { parseStoredScopes } from '../database/stored-scopes.ts';
import { parseStoredRateLimit } from '../limits/rate-limit.ts';
import { parseAllowedAddresses } from './allowed-addresses.ts';
import type { Policy } from './check-policy.ts';

/** A key that is currently valid. */
export interface VerifiedKey extends Policy {
  keyId: string;
  workspaceId: string;
  name: string;
  externalId: string | null;
  /** JSON; null if there is none. */
  metadata: string | null;
  /** Whether the next use of the secret starts the grace period of older ones. */
  startsGrace: boolean;
}

/** A secret that is permanently rejected: a revoked key is never valid again. */
export interface EndedSecret {
  standing: 'revoked' | 'retired';
  keyId: string;
  workspaceId: string;
  /** Epoch ms; NaN if unknown. */
  since: number;
}

/** The state of a secret in the database. */
export type StoredSecret = { key: VerifiedKey } | { ended: EndedSecret };

/** The row that is selected by a hash. */
const rowSchema = z.object({
  id: z.string(),
  workspace_id: z.string(),
  name: z.string(),
  scopes: z.string(),
  environment: z.string(),
  allowed_addresses: z.string(),
  disabled_at: z.number().nullable(),
  external_id: z.string().nullable(),
  metadata: z.string().nullable(),
  expires_at: z.number().nullable(),
  revoked_at: z.number().nullable(),
  revoking_at: z.number().nullable(),
  retires_at: z.number().nullable(),
  retired_at: z.number().nullable(),
  key_limit: z.number().nullable(),
  workspace_limit: z.number().nullable(),
  is_hash_revoked: z.number(),
  starts_grace: z.number(),
});

/** dead_hash takes precedence over the row of the key. */
export const secretColumns = `
  k.id, k.workspace_id, k.name, k.scopes, k.environment, k.allowed_addresses, k.disabled_at, k.external_id, k.metadata,
  k.expires_at, k.revoked_at, w.revoking_at, s.retires_at, s.retired_at,
  k.rate_limit AS key_limit, w.rate_limit AS workspace_limit,
  CASE WHEN EXISTS (SELECT 1 FROM dead_hash d WHERE d.hash = s.hash) THEN 1 ELSE 0 END AS is_hash_revoked,
  CASE WHEN EXISTS (
    SELECT 1 FROM api_key_secret g
    WHERE g.key_id = s.key_id AND g.grace_ms IS NOT NULL AND g.created_at <= s.created_at
  ) THEN 1 ELSE 0 END AS starts_grace`;

/** The tables that these columns come from. */
export const secretTables = `
  api_key_secret s JOIN api_key k ON k.id = s.key_id JOIN workspace w ON w.id = k.workspace_id`;

/**
 * Parses a row of the columns above.
 *
 * @param row undefined if there is none
 * @param fallbackLimit default limit if neither the key nor its workspace has one
 */
export function parseStoredSecret(row: unknown, fallbackLimit: RateLimit): StoredSecret | undefined {
  if (row === undefined) return undefined;
  const parsed = rowSchema.parse(row);
  const { id, workspace_id, name, scopes, expires_at, retires_at, key_limit, workspace_limit } = parsed;
  const { environment, allowed_addresses, disabled_at, external_id, metadata } = parsed;
  const end = endOf(parsed);
  if (end !== undefined) return { ended: { ...end, keyId: id, workspaceId: workspace_id } };
  const limit = parseStoredRateLimit(key_limit) ?? parseStoredRateLimit(workspace_limit) ?? fallbackLimit;
  return {
    key: {
      keyId: id,
      workspaceId: workspace_id,
      name,
      scopes: parseStoredScopes(scopes),
      retiresAt: retires_at ?? Number.POSITIVE_INFINITY,
      expiresAt: expires_at ?? Number.POSITIVE_INFINITY,
      disabled: disabled_at !== null,
      environment: parseStoredEnvironment(environment),
      allowedAddresses: parseAllowedAddresses(allowed_addresses),
      externalId: external_id,
      metadata,
      startsGrace: parsed.starts_grace === 1,
      rateLimit: limit === 'off' ? null : limit,
    },
  };
}

/**
 * How a secret ended, if it did. A revoked key is reported as revoked even for a retired secret. So is each key of a
 * workspace whose keys are being revoked.
 */
function endOf({
  revoked_at,
  revoking_at,
  retired_at,
  is_hash_revoked,
}: z.infer<typeof rowSchema>): Pick<EndedSecret, 'standing' | 'since'> | undefined {
  const since = revoked_at ?? revoking_at;
  if (since !== null) return { standing: 'revoked', since };
  if (retired_at !== null) return { standing: 'retired', since: retired_at };
  return is_hash_revoked === 0 ? undefined : { standing: 'revoked', since: Number.NaN };
}
