import { msPerDay } from '@soku/contract/instant';
import { type Kysely, type SqlBool, sql } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { allOf } from '../keys/list-filter.ts';
import { hasNoSecretSince, isAcceptedKey, rotatedAt } from './findings.ts';
import { type KeyConditions, keyPages, pageSize } from './key-pages.ts';

/** An accepted key whose newest secret is older than the policy, without a warning about this secret. */
export interface OldKey {
  id: string;
  name: string;
  /** Epoch ms: the creation of that secret. */
  secretCreatedAt: number;
}

/** A workspace with a maximum age, at a time. */
export interface AgeRequest {
  workspaceId: string;
  /** max_secret_age of the workspace. */
  days: number;
  /** Epoch ms: when the search of the workspace began. */
  now: number;
  /** Epoch ms: the current time, by the same clock. */
  currentTime: () => number;
}

/** The old keys of a workspace, in pages. */
export function oldKeys(db: Kysely<Tables>, request: AgeRequest): AsyncGenerator<OldKey[], void> {
  return keyPages(db, request.workspaceId, (only) => readOld(db, request, only));
}

/** Returns those of the given keys of the workspace that are old. */
export async function filterOldKeys(
  db: Kysely<Tables>,
  request: AgeRequest,
  ids: readonly string[],
): Promise<OldKey[]> {
  return ids.length === 0 ? [] : readOld(db, request, [sql`api_key.id IN (${sql.join(ids)})`]);
}

async function readOld(
  db: Kysely<Tables>,
  { workspaceId, days, now }: AgeRequest,
  only: KeyConditions,
): Promise<OldKey[]> {
  const conditions = [
    sql<SqlBool>`api_key.workspace_id = ${workspaceId}`,
    isAcceptedKey(now),
    hasNoSecretSince(now - days * msPerDay),
    // A warning for a shorter age says nothing about this one. One for a longer age does.
    sql<SqlBool>`(w.key_id IS NULL OR w.days < ${days} OR w.secret_created_at < ${rotatedAt})`,
    ...only,
  ];
  const { rows } = await sql<Record<'id' | 'name', string> & { at: number | string }>`
    SELECT api_key.id, api_key.name, ${rotatedAt} AS at
    FROM api_key LEFT JOIN age_warning w ON w.key_id = api_key.id
    WHERE ${allOf(conditions)} ORDER BY api_key.id LIMIT ${pageSize}`.execute(db);
  return rows.map(({ id, name, at }) => ({ id, name, secretCreatedAt: Number(at) }));
}
