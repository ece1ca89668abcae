import type { Delivery, DeliveryStatus, Webhook } from '@soku/contract/webhooks';
import { readEarlierAttempts } from './attempts.ts';
import { requestHeaders } from './request-headers.ts';
import type { DeliveryRow, WebhookRow } from './store.ts';
import { readSecrets } from './stored-secrets.ts';

/** @param now epoch ms */
export function presentWebhook(row: WebhookRow, now: number): Webhook {
  return {
    id: row.id,
    url: row.url,
    description: row.description,
    events: row.events.split(' '),
    createdAt: instant(row.created_at),
    createdBy: row.created_by,
    failingSince: instantOrNull(row.failing_since),
    disabledAt: instantOrNull(row.disabled_at),
    disabledReason: row.disabled_at === null ? null : row.disabled_by === 'system' ? 'failing' : 'person',
    secrets: readSecrets(row.secrets, now).map(({ createdAt, retiresAt }) => ({
      createdAt: instant(createdAt),
      retiresAt: instantOrNull(retiresAt),
    })),
  };
}

export function presentDelivery(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    eventId: row.event_id,
    type: row.type,
    status: statusOf(row),
    createdAt: instant(row.created_at),
    attempts: row.attempts,
    nextAttemptAt: instantOrNull(row.next_attempt_at),
    request: { headers: requestHeaders(row.id, row.attempted_at), body: row.body },
    lastAttempt:
      row.attempted_at === null
        ? null
        : {
            at: instant(row.attempted_at),
            durationMs: row.duration_ms ?? 0,
            status: row.response_status,
            body: row.response_body,
            error: row.error,
          },
    earlierAttempts: readEarlierAttempts(row),
  };
}

function statusOf({ next_attempt_at, succeeded_at }: DeliveryRow): DeliveryStatus {
  if (next_attempt_at !== null) return 'pending';
  return succeeded_at === null ? 'failed' : 'succeeded';
}

function instant(at: number): string {
  return new Date(at).toISOString();
}

function instantOrNull(at: number | null): string | null {
  return at === null ? null : instant(at);
}
