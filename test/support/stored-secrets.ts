/** A database with some secrets, and clients that use them like a verification. */
import { randomBytes } from 'node:crypto';
import type { Database } from '../../packages/server/src/database/open.ts';
import { noRow } from '../../packages/server/src/verification/key-table.ts';
import type { SecretCache } from '../../packages/server/src/verification/secret-cache.ts';
import { openTemporarySqlite } from './temporary-sqlite.ts';
import { unrestrictedKey } from './verified-key.ts';

/** A secret and its client. */
export class Secret {
  readonly keyId: string;
  /** As 32 latin-1 characters. */
  readonly hash: string;

  constructor(keyId: string, hash: string) {
    this.keyId = keyId;
    this.hash = hash;
  }

  /** Counts a use like the verification. `ended`: whether the secret is always rejected. */
  use(
    { valid, rejected }: SecretCache,
    now: number,
    use: { refused?: boolean; ended?: boolean; address?: string; agent?: string } = {},
  ): void {
    if (use.ended === true) {
      valid.drop(this.hash);
      const found = rejected.find(this.hash);
      const row = found === noRow ? rejected.addRejected(this.hash, { ...ended, keyId: this.keyId }) : found;
      rejected.usage.reject(row, now, 'revoked_key');
      return;
    }
    const found = valid.find(this.hash);
    const row = found === noRow ? valid.add(this.hash, { ...unrestrictedKey, keyId: this.keyId }) : found;
    if (use.refused === true) valid.usage.reject(row, now, 'insufficient_scope');
    else valid.usage.accept(row, now, use.address ?? '203.0.113.7', use.agent ?? 'test/1');
  }
}

const ended = { standing: 'revoked', workspaceId: 'ws_1', since: 0 } as const;

/**
 * Opens a separate database.
 *
 * @param keys number of keys
 * @param secrets number of secrets of each key
 */
export async function openWithSecrets(keys: number, secrets: number) {
  const { database, close } = await openTemporarySqlite();
  return { database, secrets: await insertSecrets(database, keys, secrets), close };
}

/**
 * Inserts the same keys and secrets into an empty database. All at once, because each commit waits for the disk.
 */
export async function insertSecrets({ kysely }: Database, keys: number, secrets: number): Promise<Secret[]> {
  await kysely.insertInto('workspace').values({ id: 'ws_1', name: 'one', created_at: 0 }).execute();
  const ids = Array.from({ length: keys }, (_, i) => `key_${i}`);
  await kysely
    .insertInto('api_key')
    .values(
      ids.map((id) => ({
        id,
        workspace_id: 'ws_1',
        created_by: 'ada',
        name: id,
        name_folded: id,
        scopes: '',
        expires_at: null,
        created_at: 0,
        revoked_at: null,
        revoked_by: null,
      })),
    )
    .execute();
  const rest = { prefix: 'sk_', preview_start: 'abc', preview_end: 'xyz', created_at: 0 };
  const rows = ids.flatMap((key_id) =>
    Array.from({ length: secrets }, () => ({ hash: randomBytes(32), key_id, ...rest })),
  );
  await kysely.insertInto('api_key_secret').values(rows).execute();
  return rows.map(({ key_id, hash }) => new Secret(key_id, hash.toString('latin1')));
}
