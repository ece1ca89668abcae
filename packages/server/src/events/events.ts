import type { Action, Actor, Changes, Details, Target } from '@soku/contract/audit';
import type { Kysely } from 'kysely';
import { chunk } from '../chunk.ts';
import type { Tables } from '../database/schema.ts';
import { newId } from '../ids.ts';

/** The chain for sign-ins, accounts, and the deployment as a whole. Every other chain belongs to a workspace. */
export const accountsChain = 'accounts';

/** A record of what a command did. It never contains a key, the hash of a key, or a password. */
export interface NewEvent {
  /** The id of the workspace, or `accountsChain`. */
  chain: string;
  /** Epoch ms. */
  at: number;
  actor: Actor;
  action: Action;
  target: Target;
  changes?: Changes;
  details?: Details;
}

/** Events per statement: SQLite accepts 32,766 parameters, PostgreSQL 65,535. */
const batchSize = 500;

/**
 * Appends events to the audit log, inside the transaction of the command that they record. So there is no command
 * without its event, and no event without its command. audit/sealer.ts later assigns their positions in the chain.
 */
export async function appendEvents(db: Kysely<Tables>, events: readonly NewEvent[]): Promise<void> {
  for (const batch of chunk(events, batchSize)) {
    await db.insertInto('audit_event').values(toEventRows(batch)).execute();
  }
}

/** Appends one event; see appendEvents. */
export async function appendEvent(db: Kysely<Tables>, event: NewEvent): Promise<void> {
  await appendEvents(db, [event]);
}

/** Converts events to rows of the table audit_event, with all of its columns. */
export function toEventRows(events: readonly NewEvent[]) {
  return events.map(toRow);
}

/** The target of an event about a workspace as a whole. */
export async function workspaceTarget(db: Kysely<Tables>, id: string): Promise<Target> {
  const { name } = await db
    .selectFrom('workspace')
    .select('name')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return { kind: 'workspace', id, name };
}

/** @returns the fields that differ, or undefined if none does */
export function diffDetails(before: Details, after: Details): Changes | undefined {
  const changed = Object.entries(after)
    .filter(([field, to]) => to !== before[field])
    .map(([field, to]) => [field, { from: before[field] ?? null, to }]);
  return changed.length === 0 ? undefined : Object.fromEntries(changed);
}

function toRow({ chain, at, actor, action, target, changes, details }: NewEvent) {
  return {
    id: newId('evt_', at),
    chain,
    at,
    actor_kind: actor.kind,
    actor_id: actor.id,
    actor_name: actor.name,
    address: actor.address,
    user_agent: actor.userAgent,
    request_id: actor.requestId,
    action,
    target_kind: target.kind,
    target_id: target.id,
    target_name: target.name,
    changes: changes === undefined ? null : JSON.stringify(changes),
    details: details === undefined ? null : JSON.stringify(details),
    sequence: null,
    previous_hash: null,
    hash: null,
  };
}
