import type { Details } from '@soku/contract/audit';
import type { StartGrace } from '@soku/contract/rotation';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { formatStoredScopes } from '../database/stored-scopes.ts';
import { diffDetails, type NewEvent, workspaceTarget } from '../events/events.ts';
import type { Caller } from '../http/caller.ts';
import type { KeyPolicy } from './caller-policy.ts';
import type { RevokeRequest } from './revoke-writes.ts';
import type { KeyRow, SecretRow } from './store.ts';
import { type ChangedKey, type NewKey, policyOfRow } from './writes.ts';

// The audit events of key commands.

type CallerOfEvent = Pick<Caller, 'actor' | 'workspaceId'>;

export function keyCreated(
  { actor, workspaceId }: CallerOfEvent,
  { id, name, createdAt }: NewKey,
  policy: KeyPolicy,
): NewEvent {
  return {
    chain: workspaceId,
    at: createdAt,
    actor,
    action: 'key.created',
    target: { kind: 'key', id, name },
    details: { ...policyDetails(policy), environment: policy.environment },
  };
}

/**
 * @param before the key before the change
 * @param at epoch ms
 * @returns no event if nothing changed
 */
export function keyUpdated(
  { actor, workspaceId }: CallerOfEvent,
  before: KeyRow,
  after: ChangedKey,
  at: number,
): NewEvent[] {
  const { id } = before;
  const changes = diffDetails(
    {
      name: before.name,
      ...policyDetails(policyOfRow(before)),
      metadata: before.metadata,
      disabled: before.disabled_at !== null,
    },
    {
      name: after.name,
      ...policyDetails(after.policy),
      metadata: after.metadata,
      disabled: after.disabledAt !== null,
    },
  );
  if (changes === undefined) return [];
  const target = { kind: 'key', id, name: after.name } as const;
  return [{ chain: workspaceId, at, actor, action: 'key.updated', target, changes }];
}

function policyDetails({ scopes, expiresAt, allowedAddresses, rateLimit, externalId }: KeyPolicy) {
  return {
    scopes: formatStoredScopes(scopes),
    expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
    allowedAddresses,
    rateLimit,
    externalId,
  };
}

/**
 * Creates one event per key, so that the log of each key shows its revocation.
 *
 * @param ancestor the key named in the call, if the call also revokes its descendants
 */
export function keysRevoked(
  { actor, workspaceId }: CallerOfEvent,
  revoked: readonly { id: string; name: string }[],
  { at, reason }: Pick<RevokeRequest, 'at' | 'reason'>,
  ancestor?: string,
): NewEvent[] {
  return revoked.map((key) => {
    const details: Details = {
      ...(reason !== null && { reason }),
      ...(ancestor !== undefined && key.id !== ancestor && { descendantOf: ancestor }),
    };
    return {
      chain: workspaceId,
      at,
      actor,
      action: 'key.revoked',
      target: { kind: 'key', ...key },
      ...(Object.keys(details).length > 0 && { details }),
    };
  });
}

/**
 * One event for all keys of a workspace: a million events would fill the log and delay the sealing of others. The log of
 * each key includes it (audit/reader.ts).
 *
 * @param count how many keys are revoked
 */
export async function workspaceKeysRevoked(
  db: Kysely<Tables>,
  { actor, workspaceId }: CallerOfEvent,
  { at, reason }: Pick<RevokeRequest, 'at' | 'reason'>,
  count: number,
): Promise<NewEvent> {
  return {
    chain: workspaceId,
    at,
    actor,
    action: 'workspace.keys_revoked',
    target: await workspaceTarget(db, workspaceId),
    details: { keys: count, ...(reason !== null && { reason }) },
  };
}

/** What a rotation records. */
interface RotationDetails {
  /** The id of the new secret. */
  secretId: string;
  graceSeconds: number;
  startGrace: StartGrace;
}

/** @param at epoch ms */
export function keyRotated(
  { actor, workspaceId }: CallerOfEvent,
  { id, name }: Pick<KeyRow, 'id' | 'name'>,
  details: RotationDetails,
  at: number,
): NewEvent {
  const target = { kind: 'key', id, name } as const;
  return { chain: workspaceId, at, actor, action: 'key.rotated', target, details: { ...details } };
}

/**
 * Creates one event per secret.
 *
 * @param ended `reason`: a rotation without grace, a call for this secret, or the end of a grace
 * @param at epoch ms
 */
export function secretsRetired(
  { actor, workspaceId }: CallerOfEvent,
  { id, name }: Pick<KeyRow, 'id' | 'name'>,
  {
    secrets,
    reason,
  }: { secrets: readonly Pick<SecretRow, 'id'>[]; reason: 'rotated' | 'requested' | 'lapsed' },
  at: number,
): NewEvent[] {
  return secrets.map((secret) => ({
    chain: workspaceId,
    at,
    actor,
    action: 'key.secret_retired',
    target: { kind: 'key', id, name },
    details: { secretId: secret.id, reason },
  }));
}
