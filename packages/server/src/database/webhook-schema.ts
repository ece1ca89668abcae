import type { Generated } from 'kysely';

/** A URL that receives the events of a workspace. Written by people, and by the server when it disables one. */
export interface WebhookTable {
  /** `whk_` and 26 characters. Written once. */
  id: string;
  /** Written once. */
  workspace_id: string;
  url: string;
  /** '' if there is none. */
  description: string;
  /** The actions that it receives, space-separated and sorted, or `*`: all. */
  events: string;
  /** JSON, [{sealed, retiresAt}], newest first: the signing secrets, encrypted (webhooks/signing-secrets.ts). */
  secrets: string;
  /** The sequence of the last event in the chain of the workspace that was queued or skipped. Never decreases. */
  position: number;
  /** Epoch ms of the first failed attempt since the last successful one; null: the last attempt was successful. */
  failing_since: Generated<number | null>;
  /** Epoch ms; null while events are delivered. */
  disabled_at: Generated<number | null>;
  /** The account that disabled it, or 'system'. Written with disabled_at. */
  disabled_by: Generated<string | null>;
  /** Epoch ms. Written once. */
  created_at: number;
  /** The account that created it. Written once. */
  created_by: string;
}

/** An event for a webhook: inserted when the event is queued, updated by each attempt, deleted 30 days after its end. */
export interface WebhookDeliveryTable {
  /** `whd_` and 26 characters: the webhook-id of each attempt. Written once, like the next five columns. */
  id: string;
  webhook_id: string;
  /** The audit event; null for a test event. */
  event_id: Generated<string | null>;
  /** The action of the event. */
  type: string;
  /** The body of the request, JSON. */
  body: string;
  /** Epoch ms. */
  created_at: number;
  /** Epoch ms of the next attempt; null: no further one. This and the next two columns: see outbox/leased-rows.ts. */
  next_attempt_at: Generated<number | null>;
  /** Epoch ms. */
  lease_until: Generated<number | null>;
  /** Attempts that began, since the last redelivery. */
  attempts: number;
  /** Epoch ms of the start of the last attempt; null before the first one. Written after it, like the next columns. */
  attempted_at: Generated<number | null>;
  duration_ms: Generated<number | null>;
  /** Epoch ms; null: not delivered. */
  succeeded_at: Generated<number | null>;
  /** Epoch ms at which it succeeded or was abandoned; null while attempts follow. */
  ended_at: Generated<number | null>;
  /** HTTP status of the response; null if there was none. */
  response_status: Generated<number | null>;
  /** The first kilobyte of the response; null if there was none. */
  response_body: Generated<string | null>;
  /** Why the attempt failed; null if it succeeded. */
  error: Generated<string | null>;
  /** JSON: the attempts before the last one, newest first, without responses (attempts.ts); null: none. */
  earlier_attempts: Generated<string | null>;
}
