import { revokeReasonSchema } from '@soku/contract/key-values';
import type { Key } from '@soku/contract/keys';
import type { Secret } from '@soku/contract/secrets';
import { formatPreview } from '@soku/key';
import { parseStoredEnvironment } from '../database/stored-environment.ts';
import { parseStoredMetadata } from '../database/stored-metadata.ts';
import { parseStoredScopes } from '../database/stored-scopes.ts';
import { parseStoredRateLimit } from '../limits/rate-limit.ts';
import type { KeyRow, SecretRow } from './store.ts';

/** The last accepted use of a secret. */
export interface SecretUse {
  /** As 32 latin-1 characters. */
  hash: string;
  /** Epoch ms. */
  at: number;
}

/** What a key consists of. */
export interface StoredKeyParts {
  row: KeyRow;
  /** Newest first. */
  secrets: readonly SecretRow[];
  /** The last uses of its secrets. */
  uses: readonly SecretUse[];
}

/** @param now epoch ms, which determines whether the key has expired */
export function presentKey({ row, secrets, uses }: StoredKeyParts, now: number): Key {
  const presented = secrets.map((secret, i) => presentSecret(secret, uses, secrets.slice(0, i)));
  return {
    id: row.id,
    name: row.name,
    preview: presented[0]?.preview ?? '',
    status: statusOf(row, now),
    environment: parseStoredEnvironment(row.environment),
    scopes: parseStoredScopes(row.scopes),
    createdAt: new Date(row.created_at).toISOString(),
    createdBy: row.created_by,
    lastUsedAt: iso(uses.length === 0 ? null : Math.max(...uses.map(({ at }) => at))),
    expiresAt: iso(row.expires_at),
    disabledAt: iso(row.disabled_at),
    revokedAt: iso(row.revoked_at),
    revokedReason: revokeReasonSchema.nullable().catch(null).parse(row.revoked_reason),
    allowedAddresses: row.allowed_addresses === '' ? [] : row.allowed_addresses.split(' '),
    rateLimit: parseStoredRateLimit(row.rate_limit),
    externalId: row.external_id,
    metadata: parseStoredMetadata(row.metadata),
    secrets: presented,
  };
}

/** @param now epoch ms */
export function statusOf(row: KeyRow, now: number): Key['status'] {
  if (row.revoked_at !== null) return 'revoked';
  if (row.expires_at !== null && row.expires_at <= now) return 'expired';
  return row.disabled_at === null ? 'active' : 'disabled';
}

/** @param newer the newer secrets of the key */
function presentSecret(secret: SecretRow, uses: readonly SecretUse[], newer: readonly SecretRow[]): Secret {
  const hash = Buffer.from(secret.hash).toString('latin1');
  return {
    id: secret.id,
    preview: formatPreview({
      prefix: secret.prefix,
      previewStart: secret.preview_start,
      previewEnd: secret.preview_end,
    }),
    createdAt: new Date(secret.created_at).toISOString(),
    retiresAt: iso(secret.retires_at),
    retiredAt: iso(secret.retired_at),
    graceSeconds: secret.retired_at === null ? pendingGrace(newer) : null,
    lastUsedAt: iso(uses.find((use) => use.hash === hash)?.at ?? null),
  };
}

/** The shortest grace that the first use of a newer secret starts, in seconds. */
function pendingGrace(newer: readonly SecretRow[]): number | null {
  const graces = newer.flatMap(({ grace_ms }) => grace_ms ?? []);
  return graces.length === 0 ? null : Math.min(...graces) / 1000;
}

/** @param time epoch ms */
function iso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
