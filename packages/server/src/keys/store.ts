import type { ChangeKey } from '@soku/contract/keys';
import type { RateLimit } from '@soku/contract/rate-limits';
import type { Scope } from '@soku/contract/scopes';
import type { ExpressionBuilder, Kysely } from 'kysely';
import { isPostgres, lockRow } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { type StoredLimits, writeRateLimit } from '../limits/rate-limit.ts';
import { livingDescendants } from '../revocation/descendants.ts';
import { foldName } from './fold-name.ts';
import { hasStatus, type KeyFilter, matchesFilter } from './list-filter.ts';
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
  rate_limit: number | null;
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

/** What the limits of the key that asks allow: told the limits, or null for a person; throws what it refuses. */
type Permit<T> = (asking: StoredLimits | null) => T;

/** How long an Idempotency-Key is remembered, in ms. */
const idempotencyLife = 24 * 60 * 60 * 1000;

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
   * @param limitOf gives the key's limit
   */
  async insert(
    key: NewKey,
    token: Uint8Array | null,
    maxActive: number,
    limitOf: Permit<RateLimit | null>,
  ): Promise<
    { outcome: 'made' | 'maker revoked' } | { outcome: 'replayed'; keyId: string } | { outcome: 'full' }
  > {
    return this.#db.transaction().execute(async (db) => {
      const store = new KeyStore(db);
      // Whoever makes a key in the same workspace at the same time waits, and then counts this one, too.
      await lockRow(db, 'workspace', key.workspaceId);
      const maker = key.createdByKey ? await store.#limitsOfLiving(key.createdBy) : null;
      if (maker === undefined) return { outcome: 'maker revoked' };
      if (token !== null) {
        const earlier = await store.#findIdempotent(key.workspaceId, token, key.createdAt);
        if (earlier !== undefined) return { outcome: 'replayed', keyId: earlier };
      }
      const active = await store.#countActive(key.workspaceId, key.createdAt);
      if (active >= maxActive) return { outcome: 'full' };
      await store.#insertRows(key, token, limitOf(maker));
      return { outcome: 'made' };
    });
  }

  /**
   * Asked in the transaction of the change that a key makes: one that is being revoked must not leave a child, and
   * one whose limit is being lowered must not hand on the higher one (ASVS 5.0 15.4.2).
   *
   * @returns undefined when the key is revoked
   */
  async #limitsOfLiving(id: string): Promise<StoredLimits | undefined> {
    await lockRow(this.#db, 'api_key', id);
    return this.#db
      .selectFrom('api_key')
      .innerJoin('workspace', 'workspace.id', 'api_key.workspace_id')
      .select(['api_key.rate_limit as own', 'workspace.rate_limit as workspace'])
      .where('api_key.id', '=', id)
      .where('revoked_at', 'is', null)
      .executeTakeFirst();
  }

  async #findIdempotent(workspaceId: string, token: Uint8Array, now: number): Promise<string | undefined> {
    // Of this workspace only, whose row is locked: with those of others, two transactions could wait for each other.
    await this.#db
      .deleteFrom('idempotency')
      .where('workspace_id', '=', workspaceId)
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

  async #insertRows(key: NewKey, token: Uint8Array | null, rateLimit: RateLimit | null): Promise<void> {
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
        rate_limit: writeRateLimit(rateLimit),
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
    return this.#db
      .selectFrom('api_key')
      .innerJoin('api_key_secret', 'api_key_secret.key_id', 'api_key.id')
      .select(shownColumns)
      .where('api_key.workspace_id', '=', workspaceId)
      .where('api_key.id', '=', id)
      .executeTakeFirst();
  }

  /** Whether any workspace has a key. */
  async hasAny(): Promise<boolean> {
    return (await this.#db.selectFrom('api_key').select('id').limit(1).executeTakeFirst()) !== undefined;
  }

  /** The keys that a revoke of a key would take along; see livingDescendants. */
  async descendants(workspaceId: string, id: string, now: number) {
    return livingDescendants(this.#db, id, workspaceId, now);
  }

  /**
   * One page, newest first.
   *
   * @param page `after` is the id of the last key of the page before; `limit` rows at most
   */
  async list(
    workspaceId: string,
    page: KeyFilter & { after: string | undefined; limit: number },
  ): Promise<KeyRow[]> {
    const { after } = page;
    // The page first and the previews after it: PostgreSQL would else join all keys of the workspace, and sort them.
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
      .orderBy('api_key.id', 'desc')
      .execute();
  }

  /** How many of the keys that the search finds have each status. */
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

  async #countActive(workspaceId: string, now: number): Promise<number> {
    const row = await this.#db
      .selectFrom('api_key')
      .select((eb) => eb.fn.countAll().as('count'))
      .where('workspace_id', '=', workspaceId)
      .where((eb) => hasStatus(eb, 'active', now))
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }

  /**
   * @param byKey the key that makes the change; null for a person
   * @param permit is asked in the transaction
   */
  async change(
    workspaceId: string,
    id: string,
    change: ChangeKey,
    byKey: string | null,
    permit: Permit<void>,
  ): Promise<'changed' | 'not found' | 'maker revoked'> {
    const { name, rateLimit } = change;
    return this.#db.transaction().execute(async (db) => {
      // Two keys that change each other would wait for each other without end, each with its own row locked.
      if (byKey !== null) await lockRow(db, 'workspace', workspaceId);
      const asking = byKey === null ? null : await new KeyStore(db).#limitsOfLiving(byKey);
      if (asking === undefined) return 'maker revoked';
      permit(asking);
      const result = await db
        .updateTable('api_key')
        .set({
          ...(name === undefined ? {} : { name, name_folded: foldName(name) }),
          ...(rateLimit === undefined ? {} : { rate_limit: writeRateLimit(rateLimit) }),
        })
        .where('id', '=', id)
        .where('workspace_id', '=', workspaceId)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n ? 'changed' : 'not found';
    });
  }
}

/** The columns of a KeyRow. */
const shownColumns = [
  'api_key.id',
  'api_key.name',
  'api_key.created_by',
  'api_key.scopes',
  'api_key.expires_at',
  'api_key.created_at',
  'api_key.revoked_at',
  'api_key.rate_limit',
  'api_key_secret.prefix',
  'api_key_secret.preview_start',
  'api_key_secret.preview_end',
] as const;

function countIf(
  eb: ExpressionBuilder<Tables, 'api_key'>,
  status: 'active' | 'revoked' | 'expired',
  now: number,
) {
  return eb.fn.countAll().filterWhere(() => hasStatus(eb, status, now));
}
