import type { RateLimit } from '@soku/contract/rate-limits';
import { maxUnretiredSecrets } from '@soku/contract/rotation';
import { type Kysely, sql } from 'kysely';
import { lockRow } from '../database/dialect.ts';
import type { Tables } from '../database/schema.ts';
import type { CallingKey } from '../http/caller.ts';
import { RequestError } from '../http/errors.ts';
import type { CommandChange } from '../propagation/propagation.ts';
import { rejectBroaderPolicy } from './caller-policy.ts';
import { findIdempotent, insertToken } from './idempotency.ts';
import type { NewSecret } from './new-secret.ts';
import { idempotencyReplayed, keyNotFound } from './problems.ts';
import { type KeyRow, KeyStore, type SecretRow } from './store.ts';
import { insertSecret, policyOfCaller, policyOfRow } from './writes.ts';

/*
 * The writes of rotations. Call each function inside the transaction of its command. The caller that changes the secrets
 * of a key holds the lock of the key's row.
 */

/** A rotation. */
export interface Rotation {
  workspaceId: string;
  keyId: string;
  /** null for a person. */
  callingKey: CallingKey | null;
  secret: NewSecret;
  /** 0: the older secrets are retired at once. */
  graceMs: number;
  startGrace: 'now' | 'firstUse';
  /** The hash of the Idempotency-Key. */
  token: Uint8Array | null;
  /** Epoch ms. */
  now: number;
}

/**
 * Adds a secret to a key, and sets when its older secrets end.
 *
 * @param fallback SOKU_KEY_RATE_LIMIT
 * @returns the key, and the secrets that are retired from now on
 * @throws {RequestError} not_found, insufficient_scope, invalid_request, idempotency_replayed, key_revoked, key_expired,
 *   too_many_secrets, and the rejections of policyOfCaller
 */
export async function writeRotation(
  db: Kysely<Tables>,
  rotation: Rotation,
  fallback: RateLimit,
): Promise<{ key: KeyRow; retired: readonly SecretRow[]; changed: CommandChange | undefined }> {
  const { workspaceId, keyId, callingKey, secret, graceMs, startGrace, token, now } = rotation;
  // For the Idempotency-Key; and two keys that rotate each other, each with its own row locked, would deadlock.
  await lockRow(db, 'workspace', workspaceId);
  const caller = callingKey && (await policyOfCaller(db, callingKey, now));
  const store = new KeyStore(db);
  const key = await store.find(workspaceId, keyId, { locked: true });
  if (key === undefined) throw keyNotFound();
  rejectBroaderPolicy(caller, policyOfRow(key), fallback);
  if (token !== null) await useToken(db, { workspaceId, keyId, token, now });
  rejectUnusable(key, now);
  const older = (await store.secretsOf([keyId])).get(keyId) ?? [];
  const unretired = older.filter((one) => one.retired_at === null);
  if (graceMs > 0 && unretired.filter(isAcceptedAt(now)).length >= maxUnretiredSecrets)
    throw tooManySecrets();
  const createdAt = Math.max(now, (older[0]?.created_at ?? 0) + 1);
  await insertSecret(db, keyId, secret, createdAt, startGrace === 'firstUse' ? graceMs : null);
  if (startGrace === 'firstUse') return { key, retired: [], changed: undefined };
  if (graceMs === 0) {
    return { key, retired: unretired, changed: await retireSecrets(db, unretired, now) };
  }
  await endSecrets(db, unretired, now + graceMs);
  return { key, retired: [], changed: { kind: 'keys', ids: [keyId] } };
}

/** @throws {RequestError} idempotency_replayed */
async function useToken(
  db: Kysely<Tables>,
  { workspaceId, keyId, token, now }: { workspaceId: string; keyId: string; token: Uint8Array; now: number },
): Promise<void> {
  const earlier = await findIdempotent(db, workspaceId, token, now);
  if (earlier !== undefined) throw idempotencyReplayed(earlier.keyId, 'rotate');
  await insertToken(db, workspaceId, token, keyId, now);
}

/** Retires one secret of a key now. The result of a repeated call is the same. */
export async function writeRetirement(
  db: Kysely<Tables>,
  {
    workspaceId,
    keyId,
    secretId,
    now,
  }: { workspaceId: string; keyId: string; secretId: string; now: number },
): Promise<{ key: KeyRow; retired: readonly SecretRow[]; changed: CommandChange }> {
  const store = new KeyStore(db);
  const key = await store.find(workspaceId, keyId, { locked: true });
  if (key === undefined) throw keyNotFound();
  const secret = await store.findSecret(keyId, secretId);
  if (secret === undefined) throw secretNotFound();
  // Published and written to the journal again: the call that retired it may still be waiting, or may have failed.
  if (secret.retired_at !== null) {
    return { key, retired: [], changed: { kind: 'retired', hashes: [secret.hash], republish: keyId } };
  }
  const newest = (await store.secretsOf([keyId])).get(keyId)?.[0];
  if (newest?.id === secretId) throw newestSecret();
  return { key, retired: [secret], changed: await retireSecrets(db, [secret], now) };
}

/** Rejects secrets permanently. One that has already ended keeps that time. @param now epoch ms */
async function retireSecrets(
  db: Kysely<Tables>,
  secrets: readonly SecretRow[],
  now: number,
): Promise<CommandChange> {
  const hashes = secrets.map(({ hash }) => hash);
  if (hashes.length > 0)
    await db
      .updateTable('api_key_secret')
      .set({ retired_at: sql<number>`CASE WHEN retires_at < ${now} THEN retires_at ELSE ${now} END` })
      .where('hash', 'in', hashes)
      .where('retired_at', 'is', null)
      .execute();
  return { kind: 'retired', hashes };
}

/** Sets when secrets end, unless they end earlier. @param end epoch ms */
async function endSecrets(db: Kysely<Tables>, secrets: readonly SecretRow[], end: number): Promise<void> {
  if (secrets.length === 0) return;
  await db
    .updateTable('api_key_secret')
    .set({ retires_at: end })
    .where(
      'hash',
      'in',
      secrets.map(({ hash }) => hash),
    )
    .where((where) => where.or([where('retires_at', 'is', null), where('retires_at', '>', end)]))
    .execute();
}

/** @param now epoch ms */
function isAcceptedAt(now: number) {
  return ({ retires_at }: SecretRow) => retires_at === null || retires_at > now;
}

/** @throws {RequestError} key_revoked, key_expired */
function rejectUnusable(key: KeyRow, now: number): void {
  if (key.revoked_at !== null) {
    throw new RequestError({
      code: 'key_revoked',
      message: 'This key is revoked, so it cannot be rotated. Create a new key.',
    });
  }
  if (key.expires_at !== null && key.expires_at <= now) {
    throw new RequestError({
      code: 'key_expired',
      message:
        'This key has expired, so it cannot be rotated. Give it a later expiration date first, or create a new key.',
    });
  }
}

function tooManySecrets(): RequestError {
  return new RequestError({
    code: 'too_many_secrets',
    message: `This key already has ${maxUnretiredSecrets} secrets that are not retired. Retire an older one, or rotate with graceSeconds 0, which retires all older ones.`,
  });
}

function newestSecret(): RequestError {
  return new RequestError({
    code: 'newest_secret',
    message:
      'This is the newest secret of the key, so it cannot be retired. Rotate the key first, or revoke it.',
  });
}

function secretNotFound(): RequestError {
  return new RequestError({ code: 'not_found', message: 'This key has no secret with this id.' });
}
