import type { StatusFilter } from '@soku/contract/keys';
import { type ExpressionBuilder, type ExpressionWrapper, type RawBuilder, type SqlBool, sql } from 'kysely';
import { binaryCollation } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { type PreviewPart, readSearch } from './search-text.ts';

/** The conditions that select the keys in a list. */
export interface KeyFilter {
  status: StatusFilter;
  /** Part of the name, the preview or the id; '' for every key. */
  search: string;
  /** SHA-256 of a whole key. */
  hash?: Uint8Array | undefined;
  /** Epoch ms. */
  now: number;
}

type KeyExpressions = ExpressionBuilder<Tables, 'api_key'>;
type Condition = ExpressionWrapper<Tables, 'api_key', SqlBool>;

/** @param postgres whether the statement goes to PostgreSQL */
export function matchesFilter(eb: KeyExpressions, filter: KeyFilter, postgres: boolean): Condition {
  const conditions = [hasStatus(eb, filter.status, filter.now)];
  if (filter.search !== '') conditions.push(matchesSearch(eb, filter.search, postgres));
  if (filter.hash !== undefined) conditions.push(hasHash(eb, filter.hash));
  return eb.and(conditions);
}

/** Revoked takes precedence over expired: a revoked key stays "revoked" after it expires. */
export function hasStatus(eb: KeyExpressions, status: StatusFilter, now: number): Condition {
  const conditions = {
    all: [],
    revoked: [eb('revoked_at', 'is not', null)],
    expired: [eb('revoked_at', 'is', null), eb('expires_at', '<=', now)],
    active: [eb('revoked_at', 'is', null), eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)])],
  }[status];
  return eb.and(conditions);
}

function hasHash(eb: KeyExpressions, hash: Uint8Array): Condition {
  const owner = eb.selectFrom('api_key_secret').select('key_id').where('hash', '=', hash);
  return eb.and([eb('api_key.id', 'in', owner)]);
}

function matchesSearch(eb: KeyExpressions, text: string, postgres: boolean): Condition {
  const { name, id, previews } = readSearch(text);
  const conditions = [contains(sql.ref('name_folded'), name)];
  if (id !== undefined) conditions.push(contains(sql.ref('api_key.id'), id));
  return eb.or([...conditions, ...previews.map((part) => hasPreview(eb, part, postgres))]);
}

function hasPreview(eb: KeyExpressions, part: PreviewPart, postgres: boolean) {
  const { prefix, prefixEnd, start, end } = part;
  const conditions: RawBuilder<SqlBool>[] = [];
  if (start !== undefined) conditions.push(begins('preview_start', start, postgres));
  if (end !== undefined) conditions.push(begins('preview_end', end, postgres));
  if (prefix !== undefined) conditions.push(sql`prefix = ${prefix}`);
  if (prefixEnd !== undefined) conditions.push(endsWith(sql.ref('prefix'), prefixEnd));
  const fits = sql<SqlBool>`${sql.join(conditions, sql` AND `)}`;
  const secrets = eb.selectFrom('api_key_secret').select('key_id').where(fits);
  // A start or an end matches few secrets, which an index finds once. A prefix alone matches most secrets, so it is
  // checked for each key.
  if (start !== undefined || end !== undefined) return eb('api_key.id', 'in', secrets);
  return eb.exists(secrets.whereRef('key_id', '=', 'api_key.id'));
}

/** Uses the expression of the indexes in migration 0008, so that they apply. All characters sort before `~`. */
function begins(column: 'preview_start' | 'preview_end', text: string, postgres: boolean) {
  const folded = sql`lower(${sql.ref(column)} ${binaryCollation(postgres)})`;
  return sql<SqlBool>`(${folded} >= ${text} AND ${folded} <= ${`${text}~`})`;
}

function contains(column: RawBuilder<unknown>, text: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`${column} LIKE ${`%${escapePattern(text)}%`} ESCAPE '\\'`;
}

function endsWith(column: RawBuilder<unknown>, text: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`${column} LIKE ${`%${escapePattern(text)}`} ESCAPE '\\'`;
}

function escapePattern(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}
