import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';

// Idempotency-Keys: a repeated call does not repeat its effect. Call the functions inside the transaction of the command.

/** How long an Idempotency-Key is stored, in ms. */
const idempotencyLife = 24 * 60 * 60 * 1000;

/** The stored form of the header, whose value may be sensitive. */
export function hashToken(idempotencyKey: string | null): Uint8Array | null {
  return idempotencyKey === null ? null : createHash('sha256').update(idempotencyKey).digest();
}

/** Finds an earlier call with the same Idempotency-Key. Call it with the row of the workspace locked. */
export async function findIdempotent(
  db: Kysely<Tables>,
  workspaceId: string,
  token: Uint8Array,
  now: number,
): Promise<{ keyId: string | null } | undefined> {
  // Only in this workspace, whose row is locked. Deleting rows of other workspaces could deadlock two transactions.
  await db
    .deleteFrom('idempotency')
    .where('workspace_id', '=', workspaceId)
    .where('created_at', '<', now - idempotencyLife)
    .execute();
  return db
    .selectFrom('idempotency')
    .select('key_id as keyId')
    .where('workspace_id', '=', workspaceId)
    .where('token_hash', '=', token)
    .executeTakeFirst();
}

/** @param keyId null for a call that concerns several keys */
export async function insertToken(
  db: Kysely<Tables>,
  workspaceId: string,
  token: Uint8Array,
  keyId: string | null,
  now: number,
): Promise<void> {
  await db
    .insertInto('idempotency')
    .values({ workspace_id: workspaceId, token_hash: token, key_id: keyId, created_at: now })
    .execute();
}
