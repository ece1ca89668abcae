import type { StatusFilter } from '@soku/contract/keys';
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { binaryCollation } from '../database/dialect.ts';
import { lastUseStepMs } from '../usage/hours.ts';
import type { PreviewPart, SearchText } from './search-text.ts';

/** The conditions that select the keys in a list. */
export interface KeyFilter {
  status: StatusFilter;
  /** Undefined: every key. */
  search?: SearchText | undefined;
  /** SHA-256 of a whole key. */
  hash?: Uint8Array | undefined;
  /** The id of an account or a key. */
  createdBy?: string | undefined;
  scope?: string | undefined;
  environment?: string | undefined;
  externalId?: string | undefined;
  /** Keys with an older secret that a rotation has not ended yet. */
  isRotating?: boolean | undefined;
  /** Epoch ms: keys that were created at this time or earlier, and not used since then. */
  unusedSince?: number | undefined;
  /** Epoch ms: keys that have not expired and expire at this time or earlier. */
  expiresUntil?: number | undefined;
  /** Epoch ms. */
  now: number;
}

type Condition = RawBuilder<SqlBool>;

/** A search, after the keys with its previews were looked up. */
export interface ResolvedSearch extends SearchText {
  /**
   * The keys with the previews that few keys have. `previews` has only the other ones, which are checked for each key.
   */
  keyIds: readonly string[];
}

export type ResolvedFilter = Omit<KeyFilter, 'search'> & { search: ResolvedSearch | undefined };

/**
 * Conditions on rows of `api_key`, and of `key_use` for `unusedSince`. On SQLite no index applies to them, because a
 * statement that checks many keys reads them in another order.
 *
 * @param postgres whether they go to PostgreSQL
 */
export function conditionsOf(filter: ResolvedFilter, postgres: boolean): Condition[] {
  const { search, hash, createdBy, scope, environment, externalId, unusedSince } = filter;
  const { expiresUntil, status, now } = filter;
  const column: Column = (name) => (postgres ? sql.ref(name) : sql`+${sql.ref(name)}`);
  const conditions = statusConditions(status, now, column);
  if (createdBy !== undefined) conditions.push(sql`${column('api_key.created_by')} = ${createdBy}`);
  if (scope !== undefined)
    conditions.push(contains(sql`' ' || api_key.scopes || ' '`, ` ${scope} `, postgres));
  if (environment !== undefined) conditions.push(sql`${column('api_key.environment')} = ${environment}`);
  if (externalId !== undefined) conditions.push(sql`${column('api_key.external_id')} = ${externalId}`);
  if (expiresUntil !== undefined) {
    const expiresAt = column('api_key.expires_at');
    conditions.push(sql`${expiresAt} > ${now}`, sql`${expiresAt} <= ${expiresUntil}`);
  }
  if (hash !== undefined) {
    conditions.push(sql`api_key.id IN (SELECT key_id FROM api_key_secret WHERE hash = ${hash})`);
  }
  if (filter.isRotating) conditions.push(isRotatingKey(postgres));
  if (search !== undefined) conditions.push(matchesSearch(search, postgres));
  // These come last, because they read another table for each key.
  if (unusedSince !== undefined) {
    conditions.push(
      sql`api_key.created_at <= ${unusedSince}`,
      sql`(key_use.used_at IS NULL OR ${isUnused(unusedSince)})`,
    );
  }
  return conditions;
}

/** The keys of all workspaces with an older secret that has an end or awaits one. Each part has an index. */
export const rotatingKeys = sql`SELECT key_id AS id FROM api_key_secret WHERE retires_at IS NOT NULL AND retired_at IS NULL
  UNION ALL SELECT key_id FROM api_key_secret WHERE grace_ms IS NOT NULL`;

/**
 * Whether a key is one of `rotatingKeys`. PostgreSQL reads them once for all keys. SQLite would read those of all workspaces
 * again in each statement, of which a search has one for 2,000 keys, so it looks up the secrets of each key if there is any.
 */
export function isRotatingKey(postgres: boolean): Condition {
  if (postgres) return sql`api_key.id IN (${rotatingKeys})`;
  return sql`EXISTS (${rotatingKeys}) AND EXISTS (SELECT 1 FROM api_key_secret s WHERE s.key_id = api_key.id
    AND ((s.retires_at IS NOT NULL AND s.retired_at IS NULL) OR s.grace_ms IS NOT NULL))`;
}

/** Whether the stored five minutes of a key's last use ended before a time. */
export function isUnused(since: number): Condition {
  return sql`key_use.used_at <= ${since - lastUseStepMs}`;
}

/** Revoked takes precedence over expired: a revoked key stays "revoked" after it expires. */
export function hasStatus(status: StatusFilter, now: number): Condition {
  return allOf(statusConditions(status, now, (name) => sql.ref(name)));
}

type Column = (name: string) => RawBuilder<unknown>;

function statusConditions(status: StatusFilter, now: number, column: Column): Condition[] {
  const [revokedAt, expiresAt] = [column('api_key.revoked_at'), column('api_key.expires_at')];
  const active = [
    sql<SqlBool>`${revokedAt} IS NULL`,
    sql<SqlBool>`(${expiresAt} IS NULL OR ${expiresAt} > ${now})`,
  ];
  return {
    all: [],
    revoked: [sql<SqlBool>`${revokedAt} IS NOT NULL`],
    expired: [sql<SqlBool>`${revokedAt} IS NULL`, sql<SqlBool>`${expiresAt} <= ${now}`],
    disabled: [...active, sql<SqlBool>`${column('api_key.disabled_at')} IS NOT NULL`],
    active,
  }[status];
}

export function allOf(conditions: readonly Condition[]): Condition {
  return conditions.length === 0 ? sql`1 = 1` : sql`${sql.join(conditions, sql` AND `)}`;
}

/**
 * Whether the id of a key is one of these. The ids are one parameter, because thousands of parameters take as long as reading the
 * keys.
 */
export function hasIdAmong(ids: readonly string[], postgres: boolean): Condition {
  return postgres
    ? sql`api_key.id = ANY(${ids}::text[])`
    : sql`api_key.id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`;
}

function matchesSearch({ name, id, keyIds, previews }: ResolvedSearch, postgres: boolean): Condition {
  const conditions = [contains(sql.ref('api_key.name_folded'), name, postgres)];
  if (id !== undefined) conditions.push(contains(sql.ref('api_key.id'), id, postgres));
  if (keyIds.length > 0) conditions.push(hasIdAmong(keyIds, postgres));
  for (const part of previews) {
    // With an index of previews, SQLite would read all secrets with this preview for each key.
    const fits = hasPreview(part, postgres, { indexed: postgres });
    conditions.push(sql`EXISTS (SELECT 1 FROM api_key_secret WHERE key_id = api_key.id AND ${fits})`);
  }
  return sql`(${sql.join(conditions, sql` OR `)})`;
}

/**
 * A condition on rows of `api_key_secret`.
 *
 * @param options `indexed`: whether the indexes of previews may apply
 */
export function hasPreview(part: PreviewPart, postgres: boolean, { indexed = true } = {}): Condition {
  const { prefix, prefixEnd, start, end } = part;
  const plus = indexed ? sql`` : sql`+`;
  // The expressions of the indexes in migration 0015. All characters sort before DEL.
  const folded = (column: string) => sql`${plus}lower(${sql.ref(column)} ${binaryCollation(postgres)})`;
  const begins = (column: string, text: string) =>
    sql<SqlBool>`(${folded(column)} >= ${text} AND ${folded(column)} <= ${`${text}\u007f`})`;
  const conditions: Condition[] = [];
  if (start !== undefined) conditions.push(begins('preview_start', start));
  if (end !== undefined) conditions.push(begins('preview_end', end));
  if (prefix !== undefined) {
    // With only the end of a preview, SQLite would rather read all secrets with this prefix.
    const byEnd = !postgres && start === undefined && end !== undefined;
    conditions.push(sql`${byEnd ? sql`+` : plus}prefix = ${prefix}`);
  }
  if (prefixEnd !== undefined) conditions.push(endsWith('prefix', prefixEnd));
  return allOf(conditions);
}

function contains(column: RawBuilder<unknown>, text: string, postgres: boolean): Condition {
  return postgres ? sql`strpos(${column}, ${text}) > 0` : sql`instr(${column}, ${text}) > 0`;
}

function endsWith(column: 'prefix', text: string): Condition {
  return sql`${sql.ref(column)} LIKE ${`%${text.replace(/[\\%_]/g, '\\$&')}`} ESCAPE '\\'`;
}
