import type { Action, Actor, Changes, Details } from '@soku/contract/audit';
import type { Origin } from '../events/actor.ts';
import { accountsChain, type NewEvent } from '../events/events.ts';

/** The id and name of an account, as audit events record them. */
export interface AccountName {
  id: string;
  name: string;
}

/** The actor of an unauthenticated request, and the target for an account that does not exist. */
export const unknownAccount: AccountName = { id: 'unknown', name: 'Unknown' };

export function personActor({ id, name }: AccountName, origin: Origin): Actor {
  return { kind: 'person', id, name, ...origin };
}

/** @param at epoch ms */
export function accountEvent(
  action: Action,
  { id, name }: AccountName,
  actor: Actor,
  at: number,
  more: { changes?: Changes; details?: Details } = {},
): NewEvent {
  return { chain: accountsChain, at, actor, action, target: { kind: 'account', id, name }, ...more };
}
