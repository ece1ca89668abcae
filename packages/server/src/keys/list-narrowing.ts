import { type Kysely, type RawBuilder, sql } from 'kysely';
import { isPostgres } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import {
  hasPreview,
  isUnused,
  type KeyFilter,
  type ResolvedFilter,
  type ResolvedSearch,
  rotatingKeys,
} from './list-filter.ts';
import type { PreviewPart, SearchText } from './search-text.ts';

/**
 * Looks for a condition of a filter that only few keys of the workspace meet, using an index for each condition.
 *
 * @param most maximum number of keys
 * @returns the ids of the keys that meet it, which include all that match the filter; undefined if no condition is that
 *   selective
 */
export async function findCandidateIds(
  db: Kysely<Tables>,
  workspaceId: string,
  filter: ResolvedFilter,
  most: number,
): Promise<string[] | undefined> {
  for (const ids of candidates(workspaceId, filter)) {
    const { rows } = await sql<{ id: string }>`${ids} LIMIT ${most + 1}`.execute(db);
    if (rows.length <= most) return rows.map(({ id }) => id);
  }
  return undefined;
}

/** Statements that return the ids of all keys that meet a condition, most selective first. */
function candidates(workspaceId: string, filter: ResolvedFilter): RawBuilder<unknown>[] {
  const { hash, createdBy, externalId, unusedSince, expiresUntil, status, now } = filter;
  const ofWorkspace = sql`FROM api_key WHERE workspace_id = ${workspaceId}`;
  const ofUses = sql`FROM key_use WHERE workspace_id = ${workspaceId}`;
  const found: RawBuilder<unknown>[] = [];
  if (hash !== undefined) found.push(sql`SELECT key_id AS id FROM api_key_secret WHERE hash = ${hash}`);
  if (filter.isRotating) found.push(rotatingKeys);
  if (expiresUntil !== undefined) {
    found.push(sql`SELECT id ${ofWorkspace} AND expires_at > ${now} AND expires_at <= ${expiresUntil}`);
  }
  if (externalId !== undefined) found.push(sql`SELECT id ${ofWorkspace} AND external_id = ${externalId}`);
  if (createdBy !== undefined) found.push(sql`SELECT id ${ofWorkspace} AND created_by = ${createdBy}`);
  if (unusedSince !== undefined) {
    found.push(
      sql`SELECT key_id AS id ${ofUses} AND ${isUnused(unusedSince)}
        UNION ALL SELECT key_id ${ofUses} AND used_at IS NULL`,
    );
  }
  if (status === 'expired') found.push(sql`SELECT id ${ofWorkspace} AND expires_at <= ${now}`);
  if (status === 'revoked') found.push(sql`SELECT id ${ofWorkspace} AND revoked_at IS NOT NULL`);
  return found;
}

/**
 * Looks up the keys with the previews of a search, using the indexes of previews. A preview that more than `most` keys
 * have stays a condition that is checked for each key: reading the list in order then soon finds enough matches.
 *
 * @param most maximum number of keys to look up for each preview
 */
export async function resolveSearch(
  db: Kysely<Tables>,
  filter: KeyFilter,
  most: number,
): Promise<ResolvedFilter> {
  const { search, ...others } = filter;
  if (search === undefined) return { ...others, search };
  return { ...others, search: await resolve(db, search, most) };
}

async function resolve(db: Kysely<Tables>, search: SearchText, most: number): Promise<ResolvedSearch> {
  const keyIds: string[] = [];
  const previews: PreviewPart[] = [];
  for (const part of search.previews) {
    const found = await findPreview(db, part, most);
    if (found === undefined) previews.push(part);
    else keyIds.push(...found);
  }
  return { ...search, keyIds, previews };
}

async function findPreview(
  db: Kysely<Tables>,
  part: PreviewPart,
  most: number,
): Promise<string[] | undefined> {
  const fits = hasPreview(part, isPostgres(db));
  const { rows } = await sql<{ id: string }>`
    SELECT key_id AS id FROM api_key_secret WHERE ${fits} LIMIT ${most + 1}`.execute(db);
  return rows.length > most ? undefined : rows.map(({ id }) => id);
}
