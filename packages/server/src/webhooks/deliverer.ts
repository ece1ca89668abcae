import { msPerHour } from '@soku/contract/instant';
import { disableWebhookAfterMs } from '@soku/contract/webhooks';
import type { Kysely } from 'kysely';
import type { Tables } from '../database/schema.ts';
import { nextAttemptAt } from '../outbox/backoff.ts';
import { type Claim, finishAttempt, releaseLease } from '../outbox/leased-rows.ts';
import { type AttemptColumns, addEarlierAttempt } from './attempts.ts';
import { webhookFailed } from './events.ts';
import { requestHeaders, unixSeconds } from './request-headers.ts';
import type { AttemptResult, WebhookSender } from './sender.ts';
import { type SecretBox, signPayload } from './signing-secrets.ts';
import { readSecrets } from './stored-secrets.ts';

/** ms from the end of a failed attempt to the next one, as Standard Webhooks recommends: ten attempts in about 76 hours. */
export const deliveryRetryDelaysMs: readonly number[] = [
  5000,
  300_000,
  ...[0.5, 2, 5, 10, 14, 20, 24].map((hours) => hours * msPerHour),
];

/** The receiver states that the URL is gone permanently (RFC 9110 section 15.5.11). */
const gone = 410;

interface Options {
  db: Kysely<Tables>;
  sender: Pick<WebhookSender, 'send'>;
  box: SecretBox;
  /** Soku and its version, for the User-Agent. */
  program: string;
  /** ms. The timeout of a request. */
  timeout: number;
  /** Epoch ms. */
  now: () => number;
}

interface Delivery extends AttemptColumns {
  id: string;
  webhookId: string;
  body: string;
  url: string;
  secrets: string;
}

/** Makes the attempts to deliver events, and records their outcome. */
export class WebhookDeliverer {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** @param stopping aborts the attempt; it is made again when the next process starts, or by another node */
  async attempt(claim: Claim, stopping: AbortSignal): Promise<void> {
    const { db, now, timeout } = this.#options;
    const delivery = await this.#find(claim);
    if (delivery === undefined) {
      // The webhook was deleted. If the lease has passed to another node instead, this deletes nothing.
      await db
        .deleteFrom('webhook_delivery')
        .where('id', '=', claim.id)
        .where('lease_until', '=', claim.leaseUntil)
        .execute();
      return;
    }
    // This node was frozen or is overloaded: another one could begin the attempt before this one ends.
    if (claim.leaseUntil - now() < timeout) return releaseLease(db, 'webhook_delivery', claim);
    const startedAt = now();
    const outcome = await this.#send(delivery, startedAt, stopping);
    if (outcome.error !== null && stopping.aborted) return releaseLease(db, 'webhook_delivery', claim);
    await db.transaction().execute((tx) => this.#record(tx, claim, delivery, { ...outcome, startedAt }));
  }

  /** @returns undefined if the webhook was deleted, or the lease has passed to another node */
  async #find({ id, leaseUntil }: Claim): Promise<Delivery | undefined> {
    return this.#options.db
      .selectFrom('webhook_delivery as d')
      .innerJoin('webhook as w', 'w.id', 'd.webhook_id')
      .select(['d.id', 'w.id as webhookId', 'd.body', 'w.url', 'w.secrets'])
      .select(['attempted_at', 'duration_ms', 'response_status', 'error', 'earlier_attempts'])
      .where('d.id', '=', id)
      .where('d.lease_until', '=', leaseUntil)
      .executeTakeFirst();
  }

  async #send(
    { id, webhookId, url, body, secrets }: Delivery,
    at: number,
    stopping: AbortSignal,
  ): Promise<AttemptResult> {
    const { sender, box, program } = this.#options;
    const opened = readSecrets(secrets, at).flatMap(({ sealed }) => box.open(sealed, webhookId) ?? []);
    if (opened.length === 0) return noSecret;
    const headers = {
      ...requestHeaders(id, at),
      'user-agent': program,
      'webhook-signature': opened.map((secret) => signPayload(secret, id, unixSeconds(at), body)).join(' '),
    };
    return sender.send({ url, headers, body }, stopping);
  }

  async #record(
    tx: Kysely<Tables>,
    claim: Claim,
    delivery: Delivery,
    outcome: AttemptResult & { startedAt: number },
  ): Promise<void> {
    const { webhookId } = delivery;
    const { status, error } = outcome;
    const now = this.#options.now();
    const isLast = error === null || status === gone;
    const next = isLast ? null : nextAttemptAt(deliveryRetryDelaysMs, claim.attempts, now);
    if (!(await finishAttempt(tx, 'webhook_delivery', claim, next))) return;
    await tx
      .updateTable('webhook_delivery')
      .set({
        attempted_at: outcome.startedAt,
        duration_ms: outcome.durationMs,
        response_status: status,
        response_body: outcome.body,
        error,
        earlier_attempts: addEarlierAttempt(delivery),
        succeeded_at: error === null ? now : null,
        ended_at: next === null ? now : null,
      })
      .where('id', '=', claim.id)
      .execute();
    if (error === null) return recordSuccess(tx, webhookId);
    await recordFailure(tx, webhookId, now);
    await disableIfFailing(tx, webhookId, { error, isGone: status === gone, now });
  }
}

const noSecret: AttemptResult = {
  durationMs: 0,
  status: null,
  body: null,
  error:
    'The signing secret cannot be decrypted, because SOKU_SECRET has changed. Rotate the signing secret.',
};

/** Usually there is nothing to write, so deliveries to the same webhook do not wait for each other. */
async function recordSuccess(tx: Kysely<Tables>, id: string): Promise<void> {
  await tx
    .updateTable('webhook')
    .set({ failing_since: null })
    .where('id', '=', id)
    .where('failing_since', 'is not', null)
    .execute();
}

async function recordFailure(tx: Kysely<Tables>, id: string, now: number): Promise<void> {
  await tx
    .updateTable('webhook')
    .set({ failing_since: now })
    .where('id', '=', id)
    .where('failing_since', 'is', null)
    .execute();
}

/**
 * Disables a webhook when no attempt has succeeded for three days. This does not wait until a delivery is abandoned: with
 * a long backlog and a receiver that hangs, that takes far longer, and each attempt keeps a slot for all that time. A
 * receiver that only rejects certain events stays enabled.
 */
async function disableIfFailing(
  tx: Kysely<Tables>,
  id: string,
  { error, isGone, now }: { error: string; isGone: boolean; now: number },
): Promise<void> {
  const disabled = await tx
    .updateTable('webhook')
    .set({ disabled_at: now, disabled_by: 'system' })
    .where('id', '=', id)
    .where('disabled_at', 'is', null)
    .$if(!isGone, (query) => query.where('failing_since', '<=', now - disableWebhookAfterMs))
    .returning(['id', 'workspace_id', 'url', 'failing_since'])
    .executeTakeFirst();
  if (disabled !== undefined) await webhookFailed(tx, disabled, { error, isGone }, now);
}
