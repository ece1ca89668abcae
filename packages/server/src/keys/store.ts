import { type Kysely, type SqlBool, sql } from 'kysely';
import { isPostgres } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { unrevokedDescendants } from './descendants.ts';

/** A key in the list: its row, and the preview of its newest secret. */
export interface KeyRow {
  id: string;
  name: string;
  created_by: string;
  scopes: string;
  expires_at: number | null;
  created_at: number;
  revoked_at: number | null;
  rate_limit: number | null;
  prefix: string;
  preview_start: string;
  preview_end: string;
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
        .innerJoin('api_key_secret', 'api_key_secret.key_id', 'api_key.id')
        .select(shownColumns)
        .where(isNewestSecret)
        .where('api_key.workspace_id', '=', workspaceId)
        .where('api_key.id', '=', id)
        // SQLite has no such clause, because a write transaction has exclusive access there.
        .$if(locked && isPostgres(this.#db), (query) => query.forNoKeyUpdate('api_key'))
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
      .innerJoin('api_key_secret', 'api_key_secret.key_id', 'api_key.id')
      .select(shownColumns)
      .where(isNewestSecret)
      .where('api_key.workspace_id', '=', workspaceId)
      .where('api_key.id', 'in', ids)
      .execute();
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

/** The columns of a KeyRow that come from the key itself. */
const keyColumns = [
  'api_key.id',
  'api_key.name',
  'api_key.created_by',
  'api_key.scopes',
  'api_key.expires_at',
  'api_key.created_at',
  'api_key.revoked_at',
  'api_key.rate_limit',
] as const;

/** The columns of a KeyRow, from a key joined with its newest secret. */
const shownColumns = [
  ...keyColumns,
  'api_key_secret.prefix',
  'api_key_secret.preview_start',
  'api_key_secret.preview_end',
] as const;

/** The columns of a KeyRow for a RETURNING clause. SQLite cannot return columns of a joined table there. */
export const keyRowColumns = [
  ...keyColumns,
  ofNewestSecret('prefix'),
  ofNewestSecret('preview_start'),
  ofNewestSecret('preview_end'),
] as const;

function ofNewestSecret<C extends 'prefix' | 'preview_start' | 'preview_end'>(column: C) {
  return sql<string>`(
    SELECT s.${sql.ref(column)} FROM api_key_secret s WHERE s.key_id = api_key.id
    ORDER BY s.created_at DESC, s.hash DESC LIMIT 1)`.as(column);
}

/** Selects the newest secret of each key, so that a join returns each key only once. */
function isNewestSecret() {
  return sql<SqlBool>`api_key_secret.hash = (
    SELECT s.hash FROM api_key_secret s WHERE s.key_id = api_key.id ORDER BY s.created_at DESC, s.hash DESC LIMIT 1)`;
}
