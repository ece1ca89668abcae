import { type Kysely, type RawBuilder, sql } from 'kysely';
import { isPostgres } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import { jitter } from './backoff.ts';

// Rows of work that nodes share: each attempt is made by one node, which leases the row for it. If the node ends in the
// middle, another one repeats the attempt after the lease. So each row is attempted once, or more than once after a
// crash.
//
// Such a table has the columns id (text), next_attempt_at (epoch ms; null: the work is done), lease_until (epoch ms; null:
// not leased) and attempts, and an index on next_attempt_at. An attempt counts when it begins. If its lease expires, because
// the node crashed, its repetition does not count again, so crashes do not use up the attempts. Code that sets attempts to
// 0 also ends the lease.
//
// Leases use the clocks of the nodes. If these differ by more than a lease exceeds the longest attempt, an attempt may be
// made twice.

/** The tables of leased rows. */
export type WorkTable = 'mail' | 'webhook_delivery';

/** A leased row. */
export interface Claim {
  id: string;
  /** Attempts since the work was added, including this one, without those whose outcome was lost. */
  attempts: number;
  /** Epoch ms. Identifies the lease. */
  leaseUntil: number;
}

interface ClaimOptions {
  /** Epoch ms. */
  now: number;
  /** ms. Longer than the longest attempt. */
  lease: number;
  limit: number;
  /** Limits the rows, for example to those of one recipient. */
  only?: RawBuilder<unknown> | undefined;
}

/** Leases due rows, those that have waited longest first. Each of them must then be settled. */
export async function claimDue(
  db: Kysely<Tables>,
  table: WorkTable,
  { now, lease, limit, only = sql`1 = 1` }: ClaimOptions,
): Promise<Claim[]> {
  const leaseUntil = now + lease;
  // MATERIALIZED, so that PostgreSQL runs the part with the limit once. Locked rows are being claimed by other nodes.
  const { rows } = await sql<{ id: string; attempts: number }>`
    WITH due AS MATERIALIZED (
      SELECT id FROM ${sql.table(table)}
      WHERE next_attempt_at <= ${now} AND (lease_until IS NULL OR lease_until <= ${now}) AND ${only}
      ORDER BY next_attempt_at, id LIMIT ${limit} ${isPostgres(db) ? sql`FOR UPDATE SKIP LOCKED` : sql``}
    )
    UPDATE ${sql.table(table)} SET lease_until = ${leaseUntil},
      attempts = CASE WHEN lease_until IS NULL THEN attempts + 1 ELSE attempts END
    WHERE id IN (SELECT id FROM due) RETURNING id, attempts`.execute(db);
  return rows.map(({ id, attempts }) => ({ id, attempts, leaseUntil }));
}

/**
 * Ends a lease after an attempt. If this returns true, write the outcome of the attempt in the same transaction.
 *
 * @param nextAttemptAt epoch ms; null: the work is done
 * @returns false if the lease has passed to another node, or the row is gone
 */
export async function finishAttempt(
  db: Kysely<Tables>,
  table: WorkTable,
  { id, leaseUntil }: Claim,
  nextAttemptAt: number | null,
): Promise<boolean> {
  const { rows } = await sql`
    UPDATE ${sql.table(table)} SET lease_until = NULL, next_attempt_at = ${nextAttemptAt}
    WHERE id = ${id} AND lease_until = ${leaseUntil} RETURNING id`.execute(db);
  return rows.length > 0;
}

/** Ends a lease whose attempt was not made, or was cut short by the end of the process. The row is due at once. */
export async function releaseLease(
  db: Kysely<Tables>,
  table: WorkTable,
  { id, leaseUntil }: Claim,
): Promise<void> {
  await sql`
    UPDATE ${sql.table(table)} SET lease_until = NULL, attempts = attempts - 1
    WHERE id = ${id} AND lease_until = ${leaseUntil}`.execute(db);
}

/**
 * Ends the leases of a process that was killed. Only on SQLite, where no other process can hold one; on PostgreSQL, they
 * expire.
 */
export async function endStaleLeases(db: Kysely<Tables>, table: WorkTable): Promise<void> {
  if (isPostgres(db)) return;
  await sql`
    UPDATE ${sql.table(table)} SET lease_until = NULL, attempts = attempts - 1
    WHERE lease_until IS NOT NULL`.execute(db);
}

/**
 * ms by which the clocks of nodes may differ, or a clock may be set back: rows are delayed by at most this.
 */
export const clockToleranceMs = 60_000;

/**
 * Makes rows due whose next attempt is further ahead than any attempt is scheduled, and ends such leases. They were
 * written while the clock was ahead, and would otherwise wait for as long as it was set back.
 *
 * @param waits ms after which a row is due at the latest, by the number of its attempts; the last one also applies to
 *   higher numbers
 */
export async function endImpossibleWaits(
  db: Kysely<Tables>,
  table: WorkTable,
  { now, lease, waits }: { now: number; lease: number; waits: readonly number[] },
): Promise<void> {
  const latest = waits.map((wait) => sql.lit(Math.ceil(now + wait * (1 + jitter) + clockToleranceMs)));
  const byAttempts = latest.map((at, attempts) => sql`WHEN ${sql.lit(attempts)} THEN ${at}`);
  await sql`
    UPDATE ${sql.table(table)} SET next_attempt_at = ${now}
    WHERE next_attempt_at > ${now}
      AND next_attempt_at > CASE attempts ${sql.join(byAttempts, sql` `)} ELSE ${latest.at(-1)} END`.execute(
    db,
  );
  // On SQLite, all leases are those of running attempts, whose outcome would be lost.
  if (!isPostgres(db)) return;
  await sql`
    UPDATE ${sql.table(table)} SET lease_until = ${now} WHERE lease_until > ${now + lease + clockToleranceMs}`.execute(
    db,
  );
}
