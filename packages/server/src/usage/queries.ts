import { msPerHour } from '@soku/contract/instant';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { isPostgres } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';

// Queries of stored usage. Ranges of hours are in epoch hours, without `to`.

/** The counts of one hour. */
export interface HourCounts {
  /** Epoch hours. */
  hour: number;
  accepted: number;
  refused: number;
}

/** The counts of one hour of a secret. */
export interface SecretHourCounts extends HourCounts {
  /** SHA-256 of the secret, as 32 latin-1 characters. */
  hash: string;
}

/** The last accepted use of a secret. */
export interface LastUse {
  keyId: string;
  /** SHA-256 of the secret, as 32 latin-1 characters. */
  hash: string;
  /** Epoch ms. */
  at: number;
  address: string;
  agent: string;
}

/** The hours in which the secrets of a key were used. */
export async function readHours(
  db: Kysely<Tables>,
  keyId: string,
  from: number,
  to: number,
): Promise<SecretHourCounts[]> {
  const rows = await db
    .selectFrom('usage_hour')
    .select(['hour', 'accepted', 'refused', 'hash'])
    .where('hour', 'in', hoursBetween(from, to))
    .where('key_id', '=', keyId)
    .execute();
  return rows.map((row) => ({ ...row, hash: Buffer.from(row.hash).toString('latin1') }));
}

/** The accepted and rejected requests of each of these keys that has any. */
export async function readCounts(
  db: Kysely<Tables>,
  keyIds: readonly string[],
  from: number,
  to: number,
): Promise<{ keyId: string; accepted: number; refused: number }[]> {
  const rows = await db
    .selectFrom('usage_hour')
    .select(({ fn }) => [
      'key_id as keyId',
      fn.sum('accepted').as('accepted'),
      fn.sum('refused').as('refused'),
    ])
    .where('hour', 'in', hoursBetween(from, to))
    .where('key_id', 'in', keyIds)
    .groupBy('key_id')
    .execute();
  return rows.map(({ keyId, accepted, refused }) => ({
    keyId,
    accepted: Number(accepted),
    refused: Number(refused),
  }));
}

/**
 * What `readCounts` returns, read from ranges of ids, which is much faster if most of these keys have no requests in
 * most hours, and few other keys have ids in between.
 *
 * @param keyIds in order, not empty
 */
export async function readCountsInRange(
  db: Kysely<Tables>,
  keyIds: readonly string[],
  from: number,
  to: number,
): Promise<{ keyId: string; accepted: number }[]> {
  const [first, last] = isPostgres(db) ? boundsOf(keyIds) : [sql`${keyIds.at(0)}`, sql`${keyIds.at(-1)}`];
  const most = 2 * keyIds.length * (to - from);
  const { rows } = await sql<{ keyId: string; accepted: unknown; rows: unknown }>`
    SELECT key_id AS ${sql.ref('keyId')}, sum(accepted) AS accepted, count(*) AS rows FROM (
      SELECT key_id, accepted FROM usage_hour
      WHERE hour IN (${sql.join(hoursBetween(from, to))}) AND key_id >= ${first} AND key_id <= ${last} LIMIT ${most}
    ) AS hours GROUP BY key_id`.execute(db);
  if (rows.reduce((sum, row) => sum + Number(row.rows), 0) >= most) return readCounts(db, keyIds, from, to);
  return rows.map(({ keyId, accepted }) => ({ keyId, accepted: Number(accepted) }));
}

/** The first and the last of these ids in the default collation of the database, which the column has on PostgreSQL. */
function boundsOf(keyIds: readonly string[]): RawBuilder<string>[] {
  return ['min', 'max'].map(
    (end) => sql<string>`(SELECT ${sql.raw(end)}(id) FROM unnest(${keyIds}::text[]) AS id)`,
  );
}

/** The requests of a workspace by hour and outcome. */
export async function readTotals(
  db: Kysely<Tables>,
  workspaceId: string,
  from: number,
  to: number,
): Promise<{ hour: number; outcome: string; requests: number }[]> {
  return db
    .selectFrom('usage_total')
    .select(['hour', 'outcome', 'requests'])
    .where('hour', 'in', hoursBetween(from, to))
    .where('workspace_id', '=', workspaceId)
    .execute();
}

/** The rejected requests of some keys of a workspace by code, one row for each hour. */
export async function readRejections(
  db: Kysely<Tables>,
  workspaceId: string,
  keyIds: readonly string[],
  from: number,
  to: number,
): Promise<{ keyId: string; code: string; requests: number }[]> {
  return db
    .selectFrom('usage_refusal')
    .select(['key_id as keyId', 'code', 'requests'])
    .where('hour', 'in', hoursBetween(from, to))
    .where('workspace_id', '=', workspaceId)
    .where('key_id', 'in', keyIds)
    .execute();
}

/** The rejected requests of the keys of a workspace in one hour, in the order of their ids. */
export async function readRejectedKeys(
  db: Kysely<Tables>,
  workspaceId: string,
  hour: number,
  page: { after: string; limit: number },
): Promise<{ keyId: string; requests: number }[]> {
  const rows = await db
    .selectFrom('usage_refusal')
    .select(({ fn }) => ['key_id as keyId', fn.sum('requests').as('requests')])
    .where('hour', '=', hour)
    .where('workspace_id', '=', workspaceId)
    .where('key_id', '>', page.after)
    .groupBy('key_id')
    .orderBy('key_id')
    .limit(page.limit)
    .execute();
  return rows.map(({ keyId, requests }) => ({ keyId, requests: Number(requests) }));
}

/** Each hour is one index lookup. A range of hours would scan the rows of all other keys. */
function hoursBetween(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** The last use of each secret of these keys, if it was ever used. */
export async function readLastUses(db: Kysely<Tables>, keyIds: readonly string[]): Promise<LastUse[]> {
  const rows = await db
    .selectFrom('last_use')
    .leftJoin('usage_hour', (join) =>
      join
        .on(sql<boolean>`usage_hour.hour = last_use.at / ${sql.lit(msPerHour)}`)
        .onRef('usage_hour.key_id', '=', 'last_use.key_id')
        .onRef('usage_hour.hash', '=', 'last_use.hash'),
    )
    .select(['last_use.key_id as keyId', 'last_use.hash as hash', 'address', 'agent'])
    .select(({ fn }) => fn.coalesce('usage_hour.last_at', 'last_use.at').as('at'))
    .where('last_use.key_id', 'in', keyIds)
    .execute();
  return rows.map((row) => ({ ...row, hash: Buffer.from(row.hash).toString('latin1') }));
}
