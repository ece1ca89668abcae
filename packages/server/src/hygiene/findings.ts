import type { HygieneKind, HygienePolicy } from '@soku/contract/hygiene';
import { msPerDay, msPerHour } from '@soku/contract/instant';
import type { Workspace } from '@soku/contract/workspaces';
import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import { greatest, isPostgres } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { isRotatingKey } from '../keys/list-filter.ts';

/** What decides which keys are findings. */
export interface HygieneContext {
  /** Epoch ms. */
  now: number;
  /** Epoch ms from which every use is known. */
  completeSince: number;
  /** The policies of the workspace. */
  policies: Pick<
    Workspace,
    'maxSecretAgeDays' | 'maxKeyIdleDays' | 'maxKeyLifetimeDays' | 'requireKeyExpiry'
  >;
}

/** The keys of one kind, as parts of a statement on api_key and key_use. */
interface Finding {
  condition: RawBuilder<SqlBool>;
  /** When the finding began, in epoch ms: `since` of the report. */
  since: RawBuilder<number>;
  /** Whether the condition reads the secrets of the key. As a filter, PostgreSQL reads them once for all keys. */
  readsSecrets?: true;
}

/** How long a new key may be unused. */
const graceOfNewKey = 7 * msPerDay;

/** How long programs may take to get a new secret, as in the dashboard. */
const graceOfRotation = msPerHour;

/** ms. The server that set a date, and the one that compares it, may differ in their clocks by this much. */
const clockDifference = 60_000;

/**
 * Only keys that are accepted are findings: a disabled, expired or revoked key can do no harm.
 *
 * @param now epoch ms
 */
export function isAcceptedKey(now: number): RawBuilder<SqlBool> {
  return sql`api_key.revoked_at IS NULL AND api_key.disabled_at IS NULL
    AND (api_key.expires_at IS NULL OR api_key.expires_at > ${now})`;
}

const createdAt = sql<number>`api_key.created_at`;

/**
 * The time from which a key is idle: its last use, or the time from which its uses are known, or when it was last accepted
 * again.
 *
 * @param knownSince epoch ms: no earlier time counts
 */
export function idleSinceOf(db: Kysely<Tables>, knownSince: number): RawBuilder<number> {
  return greatest(db, [
    sql`coalesce(key_use.used_at, api_key.imported_at, api_key.created_at)`,
    sql`coalesce(api_key.resumed_at, 0)`,
    sql`${knownSince}`,
  ]);
}

/** When the newest secret was created. */
export const rotatedAt = sql<number>`(SELECT max(s.created_at) FROM api_key_secret s WHERE s.key_id = api_key.id)`;

/** @param since epoch ms */
export function hasNoSecretSince(since: number): RawBuilder<SqlBool> {
  return sql`NOT EXISTS (
    SELECT 1 FROM api_key_secret s WHERE s.key_id = api_key.id AND s.created_at > ${since})`;
}

/**
 * The condition of each kind. A key is idle or never used, but not both, and idle for 30 or for 90 days.
 *
 * A time without uses counts only from `completeSince` on, because uses before that may be missing. The uses of an
 * imported key before its import are unknown as well, so it can be idle only from its import on, and is never
 * `never_used`.
 */
export function findingsOf(
  db: Kysely<Tables>,
  { now, completeSince, policies: { maxSecretAgeDays, maxKeyLifetimeDays } }: HygieneContext,
): Record<HygieneKind, Finding> {
  const idleSince = idleSinceOf(db, completeSince);
  const neverUsed = sql<SqlBool>`(key_use.used_at IS NULL AND api_key.imported_at IS NULL
    AND api_key.created_at >= ${completeSince})`;
  const [month, quarter] = [now - 30 * msPerDay, now - 90 * msPerDay];
  const maxAge = (maxSecretAgeDays ?? 0) * msPerDay;
  return {
    rotation_unfinished: {
      condition: isUnfinished(db, now, completeSince),
      since: rotatedAt,
      readsSecrets: true,
    },
    older_than_policy: {
      condition: maxSecretAgeDays === null ? sql`1 = 0` : hasNoSecretSince(now - maxAge),
      since: sql`${rotatedAt} + ${maxAge}`,
      readsSecrets: true,
    },
    idle_90_days: { condition: sql`NOT ${neverUsed} AND ${idleSince} <= ${quarter}`, since: idleSince },
    idle_30_days: {
      condition: sql`NOT ${neverUsed} AND ${idleSince} > ${quarter} AND ${idleSince} <= ${month}`,
      since: idleSince,
    },
    never_used: {
      condition: sql`${neverUsed} AND api_key.created_at <= ${now - graceOfNewKey}`,
      since: createdAt,
    },
    unrestricted: {
      condition: sql`api_key.allowed_addresses = ''
        AND (api_key.scopes = '' OR ' ' || api_key.scopes || ' ' LIKE '% * %')`,
      since: createdAt,
    },
    expires_too_late: {
      // The maximum counts from now, as when a date is set: the date of an old key may have been extended regularly.
      condition:
        maxKeyLifetimeDays === null
          ? sql`1 = 0`
          : sql`api_key.expires_at > ${now + maxKeyLifetimeDays * msPerDay + clockDifference}`,
      since: createdAt,
    },
    never_expires: { condition: sql`api_key.expires_at IS NULL`, since: createdAt },
  };
}

/**
 * Whether an older secret is accepted, and the newest one, which is an hour old and whose uses are all known, was never
 * used. Few keys have an older secret, so the others are excluded first.
 */
function isUnfinished(db: Kysely<Tables>, now: number, completeSince: number): RawBuilder<SqlBool> {
  return sql`${isRotatingKey(isPostgres(db))} AND EXISTS (
    SELECT 1 FROM api_key_secret newest
    WHERE newest.key_id = api_key.id AND newest.created_at = ${rotatedAt}
      AND newest.created_at <= ${now - graceOfRotation} AND newest.created_at >= ${completeSince}
      AND NOT EXISTS (SELECT 1 FROM last_use l WHERE l.key_id = newest.key_id AND l.hash = newest.hash)
      AND EXISTS (
        SELECT 1 FROM api_key_secret older
        WHERE older.key_id = api_key.id AND older.created_at < newest.created_at AND older.retired_at IS NULL
          AND (older.retires_at IS NULL OR older.retires_at > ${now})
      )
  )`;
}

/**
 * The setting of the workspace that a key violates.
 *
 * @param idleSince epoch ms, which can be later than the start of the finding: for a key that was enabled again and never
 *   used, the policy counts from when it was enabled
 */
export function policyOf(
  kind: HygieneKind,
  idleSince: number,
  { now, policies: { maxKeyIdleDays, maxKeyLifetimeDays, requireKeyExpiry } }: HygieneContext,
): HygienePolicy | null {
  if (kind === 'older_than_policy') return 'maxSecretAgeDays';
  if (kind === 'expires_too_late') return 'maxKeyLifetimeDays';
  if (kind === 'never_expires') {
    if (requireKeyExpiry) return 'requireKeyExpiry';
    return maxKeyLifetimeDays === null ? null : 'maxKeyLifetimeDays';
  }
  const isIdle = kind === 'idle_90_days' || kind === 'idle_30_days' || kind === 'never_used';
  const isTooLong = maxKeyIdleDays !== null && idleSince <= now - maxKeyIdleDays * msPerDay;
  return isIdle && isTooLong ? 'maxKeyIdleDays' : null;
}
