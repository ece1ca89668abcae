import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import { foldName } from '../../packages/server/src/database/fold-name.ts';
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

/** Inserts many unrestricted keys in two statements, without the checks of a creation. */
export async function insertNewKeys(db: Kysely<Tables>, keys: readonly NewKey[]): Promise<void> {
  await db
    .insertInto('api_key')
    .values(
      keys.map(({ id, workspaceId, createdBy, name, createdAt }) => ({
        id,
        workspace_id: workspaceId,
        created_by: createdBy,
        name,
        name_folded: foldName(name),
        scopes: '',
        created_at: createdAt,
      })),
    )
    .execute();
  await insertSecretsOfKeys(db, keys);
}

/** Inserts the secrets of many keys, each of which has its key already. */
export async function insertSecretsOfKeys(
  db: Kysely<Tables>,
  secrets: readonly Pick<NewKey, 'id' | 'createdAt' | 'secret'>[],
): Promise<void> {
  await db
    .insertInto('api_key_secret')
    .values(
      secrets.map(({ id, createdAt, secret: { preview, ...secret } }) => ({
        id: secret.id,
        hash: secret.hash,
        key_id: id,
        prefix: preview.prefix,
        preview_start: preview.previewStart,
        preview_end: preview.previewEnd,
        created_at: createdAt,
      })),
    )
    .execute();
}
