import { maxListedSecrets } from '@soku/contract/secrets';
import { type Kysely, sql } from 'kysely';
import { isPostgres } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { unrevokedDescendants } from './descendants.ts';

/** A key, without its secrets. */
export interface KeyRow {
  id: string;
  name: string;
  created_by: string;
  scopes: string;
  environment: string;
  allowed_addresses: string;
  expires_at: number | null;
  created_at: number;
  disabled_at: number | null;
  resumed_at: number | null;
  revoked_at: number | null;
  revoked_reason: string | null;
  rate_limit: number | null;
  external_id: string | null;
  metadata: string | null;
}

/** A secret of a key. */
export interface SecretRow {
  hash: Uint8Array;
  id: string;
  key_id: string;
  prefix: string;
  preview_start: string;
  preview_end: string;
  created_at: number;
  retires_at: number | null;
  grace_ms: number | null;
  retired_at: number | null;
}

/** Reads the keys of a workspace. Every method takes the workspace, so it cannot read keys of other workspaces. */
export class KeyStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /**
   * The key, or undefined if the workspace has no key with this id.
   *
   * @param options `locked`: no other transaction can change the key until this one ends
   */
  async find(workspaceId: string, id: string, { locked = false } = {}): Promise<KeyRow | undefined> {
    return (
      this.#db
        .selectFrom('api_key')
        .select(keyRowColumns)
        .where('workspace_id', '=', workspaceId)
        .where('id', '=', id)
        // SQLite has no such clause, because a write transaction has exclusive access there.
        .$if(locked && isPostgres(this.#db), (query) => query.forNoKeyUpdate())
        .executeTakeFirst()
    );
  }

  /** Whether any workspace has a key. */
  async hasAny(): Promise<boolean> {
    return (await this.#db.selectFrom('api_key').select('id').limit(1).executeTakeFirst()) !== undefined;
  }

  /** The descendants that a revoke of a key would include; see unrevokedDescendants. */
  async descendants(workspaceId: string, id: string, now: number) {
    return unrevokedDescendants(this.#db, id, workspaceId, now);
  }

  /** The keys with these ids that belong to the workspace, in any order. */
  async findAll(workspaceId: string, ids: readonly string[]): Promise<KeyRow[]> {
    return this.#db
      .selectFrom('api_key')
      .select(keyRowColumns)
      .where('workspace_id', '=', workspaceId)
      .where('id', 'in', ids)
      .execute();
  }

  /**
   * The listed secrets of keys, newest first for each key: all that are not retired, and the retired ones among the
   * newest 20, so that the work is bounded however often a key was rotated. Unlike the other methods it takes no
   * workspace: call it with ids that were checked.
   */
  async secretsOf(ids: readonly string[]): Promise<Map<string, SecretRow[]>> {
    const unretired = this.#db
      .selectFrom('api_key_secret')
      .select(secretRowColumns)
      .where('key_id', 'in', ids)
      .where('retired_at', 'is', null);
    const oldestListed = this.#db
      .selectFrom('api_key_secret as newer')
      .select('newer.created_at')
      .where(sql<boolean>`newer.key_id = api_key.id`)
      .orderBy('newer.created_at', 'desc')
      .limit(1)
      .offset(maxListedSecrets - 1);
    const rows = await unretired
      .union(
        this.#db
          .selectFrom('api_key')
          .innerJoin('api_key_secret', 'api_key_secret.key_id', 'api_key.id')
          .select(secretRowColumns.map((column) => `api_key_secret.${column}` as const))
          .where('api_key.id', 'in', ids)
          .where('api_key_secret.created_at', '>=', ({ fn, val }) => fn.coalesce(oldestListed, val(0)))
          .where('api_key_secret.retired_at', 'is not', null),
      )
      .orderBy('created_at', 'desc')
      .orderBy('hash', 'desc')
      .execute();
    return Map.groupBy(rows, (row) => row.key_id);
  }

  /** One secret of a key, which may be one that is not listed. */
  async findSecret(keyId: string, secretId: string): Promise<SecretRow | undefined> {
    return this.#db
      .selectFrom('api_key_secret')
      .select(secretRowColumns)
      .where('key_id', '=', keyId)
      .where('id', '=', secretId)
      .executeTakeFirst();
  }

  /**
   * The keys of a workspace that were used since a time, in the order of their last use.
   *
   * @param since epoch ms, the start of an hour
   * @param page `after` is the last key of the previous page
   */
  async usedSince(
    workspaceId: string,
    since: number,
    { after, limit }: { after: { id: string; usedAt: number } | undefined; limit: number },
  ): Promise<{ id: string; usedAt: number }[]> {
    const { rows } = await sql<{ id: string; usedAt: number }>`
      SELECT key_id AS id, used_at AS ${sql.ref('usedAt')} FROM key_use
      WHERE workspace_id = ${workspaceId} AND (used_at, key_id) > (${after?.usedAt ?? since - 1}, ${after?.id ?? ''})
      ORDER BY used_at, key_id LIMIT ${limit}`.execute(this.#db);
    return rows;
  }
}

/** The columns of a KeyRow. */
export const keyRowColumns = [
  'id',
  'name',
  'created_by',
  'scopes',
  'environment',
  'allowed_addresses',
  'expires_at',
  'created_at',
  'disabled_at',
  'resumed_at',
  'revoked_at',
  'revoked_reason',
  'rate_limit',
  'external_id',
  'metadata',
] as const;

const secretRowColumns = [
  'hash',
  'id',
  'key_id',
  'prefix',
  'preview_start',
  'preview_end',
  'created_at',
  'retires_at',
  'grace_ms',
  'retired_at',
] as const;
