import type { Kysely } from 'kysely';
import { lockRow } from '../database/dialect.ts';
import { foldName } from '../database/fold-name.ts';
import type { Tables } from '../database/schema.ts';
import { parseStoredEnvironment } from '../database/stored-environment.ts';
import { formatStoredScopes, parseStoredScopes } from '../database/stored-scopes.ts';
import type { CallingKey } from '../http/caller.ts';
import { RequestError } from '../http/errors.ts';
import { formatStoredRateLimit, parseStoredRateLimit } from '../limits/rate-limit.ts';
import { parseAllowedAddresses } from '../verification/allowed-addresses.ts';
import { checkPolicy } from '../verification/check-policy.ts';
import type { CallerPolicy, KeyPolicy } from './caller-policy.ts';
import type { ExpiryRules } from './expiry.ts';
import { findIdempotent, insertToken } from './idempotency.ts';
import { hasStatus } from './list-filter.ts';
import type { NewSecret } from './new-secret.ts';
import { callerRevoked } from './problems.ts';
import { readRevokeMark } from './revoke-all-writes.ts';
import { type KeyRow, KeyStore } from './store.ts';

// The writes of key commands. Call each function inside the transaction of its command.

export interface NewKey {
  id: string;
  workspaceId: string;
  createdBy: string;
  /** The key in createdBy; null if a person creates it. */
  callingKey: CallingKey | null;
  name: string;
  /** JSON; null if there is none. */
  metadata: string | null;
  /** Epoch ms. */
  createdAt: number;
  secret: NewSecret;
}

/**
 * Writes a key, its secret and its Idempotency-Key.
 *
 * @param token the hash of the Idempotency-Key
 * @param maxActive the maximum number of active keys in the workspace
 * @param policyOf returns the policy of the key, or throws to reject it. The calling key is null for a person
 * @throws {RequestError} the rejections of policyOfCaller
 */
export async function insertKey(
  db: Kysely<Tables>,
  key: NewKey,
  token: Uint8Array | null,
  maxActive: number,
  policyOf: (caller: CallerPolicy | null, rules: ExpiryRules) => KeyPolicy | Promise<KeyPolicy>,
): Promise<
  | { outcome: 'created'; policy: KeyPolicy }
  | { outcome: 'replayed'; keyId: string | null }
  | { outcome: 'full' }
  | { outcome: 'being revoked' }
> {
  // Concurrent creations in the workspace wait for this lock and then count this key.
  await lockRow(db, 'workspace', key.workspaceId);
  // Otherwise the key would be revoked with the others.
  if ((await readRevokeMark(db, key.workspaceId)) !== undefined) return { outcome: 'being revoked' };
  const creator = key.callingKey && (await policyOfCaller(db, key.callingKey, key.createdAt));
  if (token !== null) {
    const earlier = await findIdempotent(db, key.workspaceId, token, key.createdAt);
    if (earlier !== undefined) return { outcome: 'replayed', keyId: earlier.keyId };
  }
  const active = await countActive(db, key.workspaceId, key.createdAt);
  if (active >= maxActive) return { outcome: 'full' };
  const policy = await policyOf(creator, await expiryRulesOf(db, key.workspaceId));
  await insertRows(db, key, policy);
  if (token !== null) await insertToken(db, key.workspaceId, token, key.id, key.createdAt);
  return { outcome: 'created', policy };
}

export async function expiryRulesOf(db: Kysely<Tables>, workspaceId: string): Promise<ExpiryRules> {
  const row = await db
    .selectFrom('workspace')
    .select(['max_key_lifetime', 'require_expiry'])
    .where('id', '=', workspaceId)
    .executeTakeFirstOrThrow();
  return { maxLifetime: row.max_key_lifetime, required: row.require_expiry === 1 };
}

/**
 * Reads the policy of the calling key in the transaction of its command, and checks again whether it allows the call. The
 * command may have waited for other transactions. Rights that they took from the key must not be used after they have
 * returned: a key that is being revoked or loses a scope must not create another key, and a key whose policy is
 * being narrowed must not grant the old one (ASVS 5.0 15.4.2).
 *
 * @param now epoch ms
 * @throws {RequestError} revoked_key, expired_key, disabled_key, ip_not_allowed, insufficient_scope
 */
export async function policyOfCaller(
  db: Kysely<Tables>,
  { id, secretHash, address }: CallingKey,
  now: number,
): Promise<CallerPolicy> {
  await lockRow(db, 'api_key', id);
  const row = await db
    .selectFrom('api_key')
    .innerJoin('workspace', 'workspace.id', 'api_key.workspace_id')
    .innerJoin('api_key_secret', 'api_key_secret.key_id', 'api_key.id')
    .select(['api_key.rate_limit as own', 'workspace.rate_limit as workspace', 'retires_at', 'disabled_at'])
    .select(['scopes', 'expires_at', 'allowed_addresses', 'environment', 'external_id'])
    .where('api_key.id', '=', id)
    .where('api_key_secret.hash', '=', secretHash)
    .where('revoked_at', 'is', null)
    .where(({ not, exists }) =>
      not(exists(db.selectFrom('dead_hash').select('hash').where('hash', '=', secretHash))),
    )
    .executeTakeFirst();
  if (row === undefined) throw callerRevoked();
  const policy = policyOfRow({ ...row, rate_limit: row.own });
  const permits = {
    ...policy,
    retiresAt: row.retires_at ?? Number.POSITIVE_INFINITY,
    expiresAt: row.expires_at ?? Number.POSITIVE_INFINITY,
    disabled: row.disabled_at !== null,
    allowedAddresses: parseAllowedAddresses(row.allowed_addresses),
  };
  const problem = checkPolicy(permits, { address, environment: 'any', needs: ['keys:write'] }, now);
  if (problem !== undefined) throw new RequestError(problem);
  return { ...policy, limits: row };
}

type PolicyColumns = Pick<
  KeyRow,
  'scopes' | 'expires_at' | 'allowed_addresses' | 'environment' | 'external_id' | 'rate_limit'
>;

export function policyOfRow(row: PolicyColumns): KeyPolicy {
  return {
    scopes: parseStoredScopes(row.scopes),
    expiresAt: row.expires_at,
    allowedAddresses: row.allowed_addresses,
    environment: parseStoredEnvironment(row.environment),
    rateLimit: parseStoredRateLimit(row.rate_limit),
    externalId: row.external_id,
  };
}

export async function countActive(db: Kysely<Tables>, workspaceId: string, now: number): Promise<number> {
  const row = await db
    .selectFrom('api_key')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('workspace_id', '=', workspaceId)
    .where(hasStatus('active', now))
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

async function insertRows(db: Kysely<Tables>, key: NewKey, policy: KeyPolicy): Promise<void> {
  await db
    .insertInto('api_key')
    .values({
      id: key.id,
      workspace_id: key.workspaceId,
      created_by: key.createdBy,
      name: key.name,
      name_folded: foldName(key.name),
      ...policyColumns(policy),
      environment: policy.environment,
      metadata: key.metadata,
      created_at: key.createdAt,
      revoked_at: null,
      revoked_by: null,
    })
    .execute();
  await insertSecret(db, key.id, key.secret, key.createdAt);
}

/**
 * @param createdAt epoch ms, later than that of all other secrets of the key
 * @param graceMs as in the column
 */
export async function insertSecret(
  db: Kysely<Tables>,
  keyId: string,
  { id, hash, preview }: NewSecret,
  createdAt: number,
  graceMs: number | null = null,
): Promise<void> {
  await db
    .insertInto('api_key_secret')
    .values({
      id,
      hash,
      key_id: keyId,
      prefix: preview.prefix,
      preview_start: preview.previewStart,
      preview_end: preview.previewEnd,
      created_at: createdAt,
      grace_ms: graceMs,
    })
    .execute();
}

/** The columns of a policy that can change. */
export function policyColumns(policy: KeyPolicy) {
  return {
    scopes: formatStoredScopes(policy.scopes),
    expires_at: policy.expiresAt,
    allowed_addresses: policy.allowedAddresses,
    rate_limit: formatStoredRateLimit(policy.rateLimit),
    external_id: policy.externalId,
  };
}

/** The fields of a key after a change. */
export interface ChangedKey {
  policy: KeyPolicy;
  name: string;
  /** JSON; null if there is none. */
  metadata: string | null;
  /** Epoch ms; null: enabled. */
  disabledAt: number | null;
  /** Epoch ms; null: never. See resumed_at in database/schema.ts. */
  resumedAt: number | null;
}

/**
 * Changes a key.
 *
 * @param request `callingKey`: null for a person. `locksWorkspace`: whether `decide` reads what the whole workspace
 *   shares. `now`: epoch ms
 * @param decide returns the fields after the change, or throws to reject it. Called inside the transaction
 * @returns the key before and after the change; undefined if the workspace has no key with this id
 * @throws {RequestError} the rejections of policyOfCaller
 */
export async function updateKey(
  db: Kysely<Tables>,
  request: {
    workspaceId: string;
    id: string;
    callingKey: CallingKey | null;
    locksWorkspace: boolean;
    now: number;
  },
  decide: (before: KeyRow, caller: CallerPolicy | null) => Promise<ChangedKey>,
): Promise<{ before: KeyRow; after: ChangedKey } | undefined> {
  const { workspaceId, id, callingKey, locksWorkspace, now } = request;
  // Without this lock, two keys that change each other, each with its own row locked, would deadlock.
  if (callingKey !== null || locksWorkspace) await lockRow(db, 'workspace', workspaceId);
  const caller = callingKey && (await policyOfCaller(db, callingKey, now));
  const before = await new KeyStore(db).find(workspaceId, id, { locked: true });
  if (before === undefined) return undefined;
  const after = await decide(before, caller);
  await db
    .updateTable('api_key')
    .set({
      name: after.name,
      name_folded: foldName(after.name),
      ...policyColumns(after.policy),
      metadata: after.metadata,
      disabled_at: after.disabledAt,
      resumed_at: after.resumedAt,
    })
    .where('id', '=', id)
    .execute();
  return { before, after };
}
