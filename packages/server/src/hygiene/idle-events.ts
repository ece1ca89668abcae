import { systemActor } from '../events/actor.ts';
import type { NewEvent } from '../events/events.ts';
import type { IdleKey, IdleRequest } from './idle-keys.ts';
import { disableAt } from './idle-steps.ts';

// The audit events of the policy for idle keys.

/**
 * @param key with the warning that it gets now
 * @param at epoch ms
 */
export function keyWarned(request: IdleRequest, key: IdleKey, at: number): NewEvent {
  const disablesAt = new Date(disableAt(key.since, request.days, key)).toISOString();
  return {
    ...eventOf(request, key, at),
    action: 'key.policy_warned',
    details: { ...detailsOf(request, key), warning: key.last === null ? 1 : 2, disablesAt },
  };
}

/** The same event as when a person disables the key. Its details name the policy. */
export function keyDisabled(request: IdleRequest, key: IdleKey, at: number): NewEvent {
  return {
    ...eventOf(request, key, at),
    action: 'key.updated',
    changes: { disabled: { from: false, to: true } },
    details: detailsOf(request, key),
  };
}

function eventOf({ workspaceId }: IdleRequest, { id, name }: IdleKey, at: number) {
  return { chain: workspaceId, at, actor: systemActor, target: { kind: 'key', id, name } } as const;
}

function detailsOf({ days }: IdleRequest, { since }: IdleKey) {
  return { policy: 'maxKeyIdleDays', days, idleSince: new Date(since).toISOString() };
}
