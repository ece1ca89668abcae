import type { ChangeKey } from '@soku/contract/keys';
import type { RateLimit } from '@soku/contract/rate-limits';
import { formatStoredScopes } from '../database/stored-scopes.ts';
import { changesOf, type NewEvent } from '../events/events.ts';
import type { Caller } from '../http/caller.ts';
import { parseStoredRateLimit } from '../limits/rate-limit.ts';
import type { KeyRow } from './store.ts';
import type { NewKey } from './writes.ts';

// The audit events of key commands.

type CallerOfEvent = Pick<Caller, 'actor' | 'workspaceId'>;

export function keyCreated(
  { actor, workspaceId }: CallerOfEvent,
  key: NewKey,
  rateLimit: RateLimit | null,
): NewEvent {
  const { id, name, scopes, expiresAt, createdAt } = key;
  return {
    chain: workspaceId,
    at: createdAt,
    actor,
    action: 'key.created',
    target: { kind: 'key', id, name },
    details: {
      scopes: formatStoredScopes(scopes),
      expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
      rateLimit,
    },
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
  { name, rateLimit }: ChangeKey,
  at: number,
): NewEvent[] {
  const { id } = before;
  const changes = changesOf(
    { name: before.name, rateLimit: parseStoredRateLimit(before.rate_limit) },
    { ...(name !== undefined && { name }), ...(rateLimit !== undefined && { rateLimit }) },
  );
  if (changes === undefined) return [];
  const target = { kind: 'key', id, name: name ?? before.name } as const;
  return [{ chain: workspaceId, at, actor, action: 'key.updated', target, changes }];
}

/**
 * Creates one event per key, so that the log of each key shows its revocation.
 *
 * @param id the key named in the call; the others are its descendants
 * @param at epoch ms
 */
export function keysRevoked(
  { actor, workspaceId }: CallerOfEvent,
  id: string,
  revoked: readonly { id: string; name: string }[],
  at: number,
): NewEvent[] {
  return revoked.map((key) => ({
    chain: workspaceId,
    at,
    actor,
    action: 'key.revoked',
    target: { kind: 'key', ...key },
    ...(key.id !== id && { details: { descendantOf: id } }),
  }));
}
