import type { ChangeKey } from '@soku/contract/keys';
import type { RateLimit } from '@soku/contract/rate-limits';
import { writeScopes } from '../database/stored-scopes.ts';
import { changesOf, type NewEvent } from '../events/events.ts';
import type { Caller } from '../http/caller.ts';
import { readRateLimit } from '../limits/rate-limit.ts';
import type { KeyRow } from './store.ts';
import type { NewKey } from './writes.ts';

// The events of the commands of keys.

type By = Pick<Caller, 'actor' | 'workspaceId'>;

export function keyCreated({ actor, workspaceId }: By, key: NewKey, rateLimit: RateLimit | null): NewEvent {
  const { id, name, scopes, expiresAt, createdAt } = key;
  return {
    chain: workspaceId,
    at: createdAt,
    actor,
    action: 'key.created',
    target: { kind: 'key', id, name },
    details: {
      scopes: writeScopes(scopes),
      expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
      rateLimit,
    },
  };
}

/**
 * @param before the key as it was
 * @param at epoch ms
 * @returns none when nothing was changed
 */
export function keyUpdated(
  { actor, workspaceId }: By,
  before: KeyRow,
  { name, rateLimit }: ChangeKey,
  at: number,
): NewEvent[] {
  const { id } = before;
  const changes = changesOf(
    { name: before.name, rateLimit: readRateLimit(before.rate_limit) },
    { ...(name !== undefined && { name }), ...(rateLimit !== undefined && { rateLimit }) },
  );
  if (changes === undefined) return [];
  const target = { kind: 'key', id, name: name ?? before.name } as const;
  return [{ chain: workspaceId, at, actor, action: 'key.updated', target, changes }];
}

/**
 * One event for each key, so that the log of a key shows what became of it.
 *
 * @param id the key that was to be revoked; the others are its descendants
 * @param at epoch ms
 */
export function keysRevoked(
  { actor, workspaceId }: By,
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
