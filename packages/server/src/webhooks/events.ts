import type { Action, Details } from '@soku/contract/audit';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { systemActor } from '../events/actor.ts';
import { appendEvent, type NewEvent } from '../events/events.ts';
import type { Caller } from '../http/caller.ts';

// Events name a webhook by the origin of its URL, because the path or the query may contain a token of the receiver, and
// events are also sent to other webhooks.

/** What an event states about a webhook. */
type Subject = { id: string; workspace_id: string; url: string };

/** @param at epoch ms */
export function webhookEvent(
  { actor }: Pick<Caller, 'actor'>,
  action: Extract<Action, `webhook.${string}`>,
  { id, workspace_id, url }: Subject,
  at: number,
  details?: Details,
): NewEvent {
  const target = { kind: 'webhook', id, name: new URL(url).origin };
  return { chain: workspace_id, at, actor, action, target, ...(details === undefined ? {} : { details }) };
}

/**
 * Records that the server has disabled a webhook.
 *
 * @param failure `error`: that of the last attempt; `isGone`: the receiver responded with 410
 * @param at epoch ms
 */
export async function webhookFailed(
  tx: Kysely<Tables>,
  webhook: Subject & { failing_since: number | null },
  { error, isGone }: { error: string; isGone: boolean },
  at: number,
): Promise<void> {
  const failingSince = new Date(webhook.failing_since ?? at).toISOString();
  const details = { failingSince, lastError: error, reason: isGone ? 'gone' : 'failing' };
  await appendEvent(tx, webhookEvent({ actor: systemActor }, 'webhook.disabled', webhook, at, details));
}
