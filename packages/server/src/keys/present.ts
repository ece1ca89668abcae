import type { Key } from '@soku/contract/keys';
import { formatPreview } from '@soku/key';
import { parseStoredScopes } from '../database/stored-scopes.ts';
import { parseStoredRateLimit } from '../limits/rate-limit.ts';
import type { KeyRow } from './store.ts';

/** @param now epoch ms, which determines whether the key has expired */
export function presentKey(row: KeyRow, now: number, lastUsedAt: ReadonlyMap<string, number>): Key {
  const expired = row.expires_at !== null && row.expires_at <= now;
  const used = lastUsedAt.get(row.id);
  return {
    id: row.id,
    name: row.name,
    preview: formatPreview({
      prefix: row.prefix,
      previewStart: row.preview_start,
      previewEnd: row.preview_end,
    }),
    status: row.revoked_at !== null ? 'revoked' : expired ? 'expired' : 'active',
    scopes: parseStoredScopes(row.scopes),
    createdAt: new Date(row.created_at).toISOString(),
    createdBy: row.created_by,
    lastUsedAt: used === undefined ? null : new Date(used).toISOString(),
    expiresAt: row.expires_at === null ? null : new Date(row.expires_at).toISOString(),
    revokedAt: row.revoked_at === null ? null : new Date(row.revoked_at).toISOString(),
    rateLimit: parseStoredRateLimit(row.rate_limit),
  };
}
