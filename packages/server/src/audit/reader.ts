import type { AuditEvent, AuditFilter } from '@soku/contract/audit';
import { type ExpressionBuilder, type Kysely, sql } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { accountsChain } from '../events/events.ts';
import { firstIdAt } from '../ids.ts';
import { toAuditEvent } from './chain.ts';

interface Page extends AuditFilter {
  /** The id of the last event on the previous page. */
  after?: string | undefined;
  limit: number;
}

type EventExpressions = ExpressionBuilder<Tables, 'audit_event'>;

/**
 * The events that a workspace may read, newest first: those of its own chain, and those of its members' accounts. In
 * the chain of accounts, the target is the account, so events are selected by target.
 */
export async function readEvents(
  db: Kysely<Tables>,
  workspaceId: string,
  { limit, keyId, ...filter }: Page,
): Promise<AuditEvent[]> {
  const events = db
    .selectFrom('audit_event')
    .selectAll()
    .where((eb) => matches(eb, filter))
    .orderBy('id', 'desc')
    .limit(limit);
  const own = events.where('chain', '=', workspaceId);
  // The expression avoids the index on chains, whose entry for this chain has the accounts of all workspaces.
  const accounts = events
    .where(sql<string>`chain || ''`, '=', accountsChain)
    .where('target_id', 'in', (eb) =>
      eb.selectFrom('workspace_member').select('user_id').where('workspace_id', '=', workspaceId),
    );
  // Each part follows the order of an index, so none reads more than a page. A key never acts on accounts.
  const [one, ...others] =
    keyId === undefined
      ? ([own, accounts] as const)
      : ([
          own.where('target_id', '=', keyId),
          own.where('actor_id', '=', keyId).where('target_id', '!=', keyId),
          // A revoke of all keys of the workspace has one event. Its time is that of the revocation of each key.
          own
            .where('action', '=', 'workspace.keys_revoked')
            .where('actor_id', '!=', keyId)
            .where('at', '=', (eb) =>
              eb
                .selectFrom('api_key')
                .select('revoked_at')
                .where('id', '=', keyId)
                .where('workspace_id', '=', workspaceId),
            ),
        ] as const);
  let parts = db.selectFrom(one.as('part')).selectAll();
  for (const other of others) parts = parts.unionAll(db.selectFrom(other.as('part')).selectAll());
  const rows = await parts.orderBy('id', 'desc').limit(limit).execute();
  return rows.map(toAuditEvent);
}

/** Compares times through the ids, which begin with the time, so that the index applies. */
function matches(
  eb: EventExpressions,
  { action, actorId, targetId, since, until, after }: Omit<Page, 'limit' | 'keyId'>,
) {
  const conditions = [];
  if (action !== undefined) conditions.push(eb('action', '=', action));
  if (actorId !== undefined) conditions.push(eb('actor_id', '=', actorId));
  if (targetId !== undefined) conditions.push(eb('target_id', '=', targetId));
  if (since !== undefined) conditions.push(eb('id', '>=', firstIdAt('evt_', Date.parse(since))));
  if (until !== undefined) conditions.push(eb('id', '<', firstIdAt('evt_', Date.parse(until))));
  if (after !== undefined) conditions.push(eb('id', '<', after));
  return eb.and(conditions);
}
