import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Tables } from '../../packages/server/src/database/schema.ts';
import { newId } from '../../packages/server/src/ids.ts';
import type { KeyPolicy } from '../../packages/server/src/keys/caller-policy.ts';
import type { NewSecret } from '../../packages/server/src/keys/new-secret.ts';
import { insertKey, type NewKey } from '../../packages/server/src/keys/writes.ts';

/** Epoch ms. */
export const firstCreation = 1_700_000_000_000;

const unrestrictedPolicy: KeyPolicy = {
  scopes: [],
  expiresAt: null,
  allowedAddresses: '',
  environment: 'live',
  rateLimit: null,
  externalId: null,
};

/** A key for insertKey. */
export function newKey({ preview, ...fields }: Partial<NewKey & Pick<NewSecret, 'preview'>> = {}): NewKey {
  const createdAt = fields.createdAt ?? firstCreation;
  return {
    id: newId('key_', createdAt),
    workspaceId: 'ws_a',
    createdBy: 'usr_1',
    callingKey: null,
    name: 'a key',
    metadata: null,
    createdAt,
    secret: {
      id: newId('sec_', createdAt),
      hash: randomBytes(32),
      preview: preview ?? { prefix: 'sk_live_', previewStart: 'abc', previewEnd: 'xyz' },
    },
    ...fields,
  };
}

/** Inserts a key, in a transaction of its own unless `kysely` is one. @param most maximum number of active keys */
export function insertNewKey(
  kysely: Kysely<Tables>,
  key: NewKey,
  {
    token = null,
    most = 1000,
    ...policy
  }: Partial<KeyPolicy> & { token?: Uint8Array | null; most?: number } = {},
) {
  const whole = { ...unrestrictedPolicy, ...policy };
  const insert = (db: Kysely<Tables>) => insertKey(db, key, token, most, () => whole);
  return kysely.isTransaction ? insert(kysely) : kysely.transaction().execute(insert);
}
