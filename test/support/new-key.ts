import { randomBytes } from 'node:crypto';
import { newId } from '../../packages/server/src/ids.ts';
import type { NewKey } from '../../packages/server/src/keys/writes.ts';

/** Epoch ms. */
export const firstCreation = 1_700_000_000_000;

/** A key for insertKey. */
export function newKey(fields: Partial<NewKey> = {}): NewKey {
  const createdAt = fields.createdAt ?? firstCreation;
  return {
    id: newId('key_', createdAt),
    workspaceId: 'ws_a',
    createdBy: 'usr_1',
    createdByKey: false,
    name: 'a key',
    scopes: [],
    expiresAt: null,
    createdAt,
    hash: randomBytes(32),
    preview: { prefix: 'sk_live_', previewStart: 'abc', previewEnd: 'xyz' },
    ...fields,
  };
}
