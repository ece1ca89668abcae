import { type ExpressionBuilder, type ExpressionWrapper, type Kysely, type SqlBool, sql } from 'kysely';
import type { Tables } from '../database/schema.ts';
import type { Scope, StatusFilter } from './schemas.ts';
import { writeScopes } from './stored-scopes.ts';

/** A key as the list shows it: its row, and the preview parts of its newest secret. */
export interface KeyRow {
  id: string;
  name: string;
  created_by: string;
  scopes: string;
  expires_at: number | null;
  created_at: number;
  revoked_at: number | null;
  prefix: string;
  preview_start: string;
  preview_end: string;
}

export interface NewKey {
  id: string;
  workspaceId: string;
  createdBy: string;
  /** Whether createdBy is a key. */
  createdByKey: boolean;
  name: string;
  scopes: readonly Scope[];
  /** Epoch ms. */
  expiresAt: number | null;
  /** Epoch ms. */
  createdAt: number;
  hash: Uint8Array;
  preview: { prefix: string; previewStart: string; previewEnd: string };
}

/** How long an Idempotency-Key is remembered, in ms. */
const idempotencyLife = 24 * 60 * 60 * 1000;

type KeyExpressions = ExpressionBuilder<Tables, 'api_key'>;

/** For searching: letters that look or mean the same compare equal, in any case and any script. */
function foldName(name: string): string {
  return name.normalize('NFKC').toLowerCase();
}

/** The keys of workspaces, in SQL. Everything here takes the workspace: nothing can be read across it. */
export class KeyStore {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /**
   * Writes a key, its secret and its Idempotency-Key in one transaction, or nothing.
   *
   * @param token the Idempotency-Key as a hash
   * @param maxActive most active keys that the workspace may have
   */
  async insert(
    key: NewKey,
    token: Uint8Array | null,
    maxActive: number,
  ): Promise<
    { outcome: 'made' | 'maker revoked' } | { outcome: 'replayed'; keyId: string } | { outcome: 'full' }
  > {
    return this.#db.transaction().execute(async (db) => {
      const store = new KeyStore(db);
      if (key.createdByKey && (await store.#isRevoked(key.createdBy))) return { outcome: 'maker revoked' };
      if (token !== null) {
        const earlier = await store.#findIdempotent(key.workspaceId, token, key.createdAt);
        if (earlier !== undefined) return { outcome: 'replayed', keyId: earlier };
      }
      const active = await store.#countOf('active', key.workspaceId, '', key.createdAt);
      if (active >= maxActive) return { outcome: 'full' };
      await store.#insertRows(key, token);
      return { outcome: 'made' };
    });
  }

  /** Asked in the transaction of the insert: a key that is being revoked must not leave a child (ASVS 5.0 15.4.2). */
  async #isRevoked(id: string): Promise<boolean> {
    const row = await this.#db
      .selectFrom('api_key')
      .select('id')
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .executeTakeFirst();
    return row === undefined;
  }

  async #findIdempotent(workspaceId: string, token: Uint8Array, now: number): Promise<string | undefined> {
    await this.#db
      .deleteFrom('idempotency')
      .where('created_at', '<', now - idempotencyLife)
      .execute();
    const row = await this.#db
      .selectFrom('idempotency')
      .select('key_id')
      .where('workspace_id', '=', workspaceId)
      .where('token_hash', '=', token)
      .executeTakeFirst();
    return row?.key_id;
  }

  async #insertRows(key: NewKey, token: Uint8Array | null): Promise<void> {
    await this.#db
      .insertInto('api_key')
      .values({
        id: key.id,
        workspace_id: key.workspaceId,
        created_by: key.createdBy,
        name: key.name,
        name_folded: foldName(key.name),
        scopes: writeScopes(key.scopes),
        expires_at: key.expiresAt,
        created_at: key.createdAt,
        revoked_at: null,
        revoked_by: null,
      })
      .execute();
    await this.#db
      .insertInto('api_key_secret')
      .values({
        hash: key.hash,
        key_id: key.id,
        prefix: key.preview.prefix,
        preview_start: key.preview.previewStart,
        preview_end: key.preview.previewEnd,
        created_at: key.createdAt,
      })
      .execute();
    if (token === null) return;
    await this.#db
      .insertInto('idempotency')
      .values({
        workspace_id: key.workspaceId,
        token_hash: token,
        key_id: key.id,
        created_at: key.createdAt,
      })
      .execute();
  }

  /** The key, or undefined when the workspace has none with this id. */
  async find(workspaceId: string, id: string): Promise<KeyRow | undefined> {
    return this.#rows(workspaceId).where('api_key.id', '=', id).executeTakeFirst();
  }

  /**
   * One page, newest first.
   *
   * @param page `after` is the id of the last key of the page before; `limit` rows at most; `now` epoch ms
   */
  async list(
    workspaceId: string,
    page: { status: StatusFilter; search: string; after: string | undefined; limit: number; now: number },
  ): Promise<KeyRow[]> {
    const { after } = page;
    return this.#rows(workspaceId)
      .where((eb) => matches(eb, page.status, page.search, page.now))
      .$if(after !== undefined, (query) => query.where('api_key.id', '<', after ?? ''))
      .orderBy('api_key.id', 'desc')
      .limit(page.limit)
      .execute();
  }

  /** How many keys of each status have the search text in their name. */
  async count(workspaceId: string, search: string, now: number) {
    const of = (status: StatusFilter) => this.#countOf(status, workspaceId, search, now);
    const [active, revoked, expired] = [await of('active'), await of('revoked'), await of('expired')];
    return { active, revoked, expired, all: active + revoked + expired };
  }

  async #countOf(status: StatusFilter, workspaceId: string, search: string, now: number): Promise<number> {
    const row = await this.#db
      .selectFrom('api_key')
      .select((eb) => eb.fn.countAll().as('count'))
      .where('workspace_id', '=', workspaceId)
      .where((eb) => matches(eb, status, search, now))
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }

  /** @returns whether the workspace has a key with this id */
  async rename(workspaceId: string, id: string, name: string): Promise<boolean> {
    const result = await this.#db
      .updateTable('api_key')
      .set({ name, name_folded: foldName(name) })
      .where('id', '=', id)
      .where('workspace_id', '=', workspaceId)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  #rows(workspaceId: string) {
    return this.#db
      .selectFrom('api_key')
      .innerJoin('api_key_secret', 'api_key_secret.key_id', 'api_key.id')
      .where('api_key.workspace_id', '=', workspaceId)
      .select([
        'api_key.id',
        'api_key.name',
        'api_key.created_by',
        'api_key.scopes',
        'api_key.expires_at',
        'api_key.created_at',
        'api_key.revoked_at',
        'api_key_secret.prefix',
        'api_key_secret.preview_start',
        'api_key_secret.preview_end',
      ]);
  }
}

/** Revoked wins over expired: a key that was killed stays "revoked" after its date, too. */
function matches(
  eb: KeyExpressions,
  status: StatusFilter,
  search: string,
  now: number,
): ExpressionWrapper<Tables, 'api_key', SqlBool> {
  const conditions = {
    all: [],
    revoked: [eb('revoked_at', 'is not', null)],
    expired: [eb('revoked_at', 'is', null), eb('expires_at', '<=', now)],
    active: [eb('revoked_at', 'is', null), eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)])],
  }[status];
  if (search === '') return eb.and(conditions);
  const pattern = `%${foldName(search).replace(/[\\%_]/g, '\\$&')}%`;
  return eb.and([...conditions, eb(sql`name_folded`, 'like', sql`${pattern} ESCAPE '\\'`)]);
}
