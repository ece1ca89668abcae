import { type Kysely, type SqlBool, sql } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { allOf } from '../keys/list-filter.ts';
import { idleSinceOf, isAcceptedKey } from './findings.ts';
import { firstWarningAt, type Warnings } from './idle-steps.ts';
import { type KeyConditions, keyPages, pageSize } from './key-pages.ts';

/** An accepted key that has been idle for so long that a warning is due. */
export interface IdleKey extends Warnings {
  id: string;
  name: string;
  /** Epoch ms. */
  since: number;
}

/** A search for the idle keys of a workspace that disables them. */
export interface IdleRequest {
  workspaceId: string;
  /** max_key_idle of the workspace. */
  days: number;
  /** Epoch ms: earlier times do not count. */
  knownSince: number;
  /** Epoch ms: when the search began. It decides which steps are due. */
  now: number;
  /** Epoch ms: the current time, by the same clock. */
  currentTime: () => number;
}

/** The idle keys of a workspace, in pages. */
export function idleKeys(db: Kysely<Tables>, request: IdleRequest): AsyncGenerator<IdleKey[], void> {
  return keyPages(db, request.workspaceId, (only) => readIdle(db, request, only));
}

/** Returns those of the given keys of the workspace that are idle. */
export async function filterIdleKeys(
  db: Kysely<Tables>,
  request: IdleRequest,
  ids: readonly string[],
): Promise<IdleKey[]> {
  return ids.length === 0 ? [] : readIdle(db, request, [sql`api_key.id IN (${sql.join(ids)})`]);
}

async function readIdle(
  db: Kysely<Tables>,
  { workspaceId, days, knownSince, now }: IdleRequest,
  only: KeyConditions,
): Promise<IdleKey[]> {
  const since = idleSinceOf(db, knownSince);
  const conditions = [
    sql<SqlBool>`api_key.workspace_id = ${workspaceId}`,
    isAcceptedKey(now),
    sql<SqlBool>`${since} <= ${now - firstWarningAt(0, days)}`,
    ...only,
  ];
  // Warnings for another idle time, or for another policy, are void.
  const { rows } = await sql<Record<'id' | 'name', string> & Record<'since' | 'first' | 'last', unknown>>`
    SELECT api_key.id, api_key.name, ${since} AS since, w.first_at AS first, w.last_at AS last
    FROM api_key JOIN key_use ON key_use.key_id = api_key.id
    LEFT JOIN idle_warning w ON w.key_id = api_key.id AND w.idle_since = ${since} AND w.days = ${days}
    WHERE ${allOf(conditions)} ORDER BY api_key.id LIMIT ${pageSize}`.execute(db);
  return rows.map(({ id, name, ...times }) => ({
    id,
    name,
    since: Number(times.since),
    first: times.first === null ? null : Number(times.first),
    last: times.last === null ? null : Number(times.last),
  }));
}
