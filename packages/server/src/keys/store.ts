import { type ExpressionBuilder, type Kysely, type SqlBool, sql } from 'kysely';
import { isPostgres } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { unrevokedDescendants } from './descendants.ts';
import { hasStatus, type KeyFilter, matchesFilter } from './list-filter.ts';

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

  /**
   * One page, newest first.
   *
   * @param page `after` is the id of the last key on the previous page; `limit` is the maximum number of rows
   */
  async list(
    workspaceId: string,
    page: KeyFilter & { after: string | undefined; limit: number },
  ): Promise<KeyRow[]> {
    const { after } = page;
    // Selects the page first and then its previews. Otherwise PostgreSQL would join and sort all keys of the workspace.
    const keys = this.#db
      .selectFrom('api_key')
      .selectAll()
      .where('workspace_id', '=', workspaceId)
      .where((eb) => matchesFilter(eb, page, isPostgres(this.#db)))
      .$if(after !== undefined, (query) => query.where('api_key.id', '<', after ?? ''))
      .orderBy('api_key.id', 'desc')
      .limit(page.limit)
      .as('api_key');
    return this.#db
      .selectFrom(keys)
      .innerJoin('api_key_secret', 'api_key_secret.key_id', 'api_key.id')
      .select(shownColumns)
      .where(isNewestSecret)
      .orderBy('api_key.id', 'desc')
      .execute();
  }

  /** Counts the keys that match the search, by status. */
  async count(workspaceId: string, { search, hash, now }: Omit<KeyFilter, 'status'>) {
    const filter = { status: 'all', search, hash, now } as const;
    const row = await this.#db
      .selectFrom('api_key')
      .select((eb) => [
        countIf(eb, 'active', now).as('active'),
        countIf(eb, 'revoked', now).as('revoked'),
        countIf(eb, 'expired', now).as('expired'),
      ])
      .where('workspace_id', '=', workspaceId)
      .where((eb) => matchesFilter(eb, filter, isPostgres(this.#db)))
      .executeTakeFirstOrThrow();
    const [active, revoked, expired] = [Number(row.active), Number(row.revoked), Number(row.expired)];
    return { active, revoked, expired, all: active + revoked + expired };
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

function countIf(
  eb: ExpressionBuilder<Tables, 'api_key'>,
  status: 'active' | 'revoked' | 'expired',
  now: number,
) {
  return eb.fn.countAll().filterWhere(() => hasStatus(eb, status, now));
}
