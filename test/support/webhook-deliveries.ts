/** Webhooks whose clock and receivers the tests control. */
import assert from 'node:assert/strict';
import { sealEvents } from '../../packages/server/src/audit/sealer.ts';
import { appendEvents, type NewEvent } from '../../packages/server/src/events/events.ts';
import { claimDue } from '../../packages/server/src/outbox/leased-rows.ts';
import { WebhookDeliverer } from '../../packages/server/src/webhooks/deliverer.ts';
import { queueEvents } from '../../packages/server/src/webhooks/queue.ts';
import type { AttemptResult } from '../../packages/server/src/webhooks/sender.ts';
import { SecretBox } from '../../packages/server/src/webhooks/signing-secrets.ts';
import { addSecret } from '../../packages/server/src/webhooks/stored-secrets.ts';
import { openTestDatabase } from './open-database.ts';

const start = Date.UTC(2026, 0, 1);
const running = new AbortController().signal;
const box = new SecretBox('a secret of the deployment, for tests');

const accepted: AttemptResult = { durationMs: 1, status: 200, body: '', error: null };
const failed: AttemptResult = { durationMs: 1, status: 500, body: 'down', error: 'down' };

const action = (one: NewEvent, name: NewEvent['action']): NewEvent => ({ ...one, action: name });

export const webhookFixtures = { start, running, box, accepted, failed, action };

/** Webhooks in a database, which is opened immediately. */
export function openWebhooks(which: 'sqlite' | 'postgres') {
  const opened = openTestDatabase(which);
  /** A webhook `w` of an empty database, whose receiver returns `outcome`. */
  const withWebhook = async (events = '*', secretBox = box) => {
    const db = (await opened).database.kysely;
    for (const table of ['webhook_delivery', 'webhook', 'audit_event', 'workspace'] as const)
      await db.deleteFrom(table).execute();
    await db
      .insertInto('workspace')
      .values({ id: 'ws_1', name: 'x', rate_limit: null, created_at: 0 })
      .execute();
    const secrets = addSecret([], secretBox, { webhookId: 'w', now: start, grace: 0 }).column;
    const row = { id: 'w', workspace_id: 'ws_1', url: 'https://hooks.example.com/', description: '' };
    await db
      .insertInto('webhook')
      .values({ ...row, events, secrets, position: 0, created_at: 0, created_by: 'usr_1' })
      .execute();
    const nothing = async (): Promise<void> => undefined;
    const state = { now: start, outcome: accepted, sent: 0, during: nothing };
    const deliverer = new WebhookDeliverer({
      ...{ db, box, program: 'Soku', timeout: 15_000, now: () => state.now },
      sender: {
        send: async () => {
          state.sent += 1;
          const { outcome, during } = state;
          state.during = nothing;
          await during();
          return outcome;
        },
      },
    });
    const claim = () => claimDue(db, 'webhook_delivery', { now: state.now, lease: 60_000, limit: 10 });
    const attemptAll = async () => {
      for (const one of await claim()) await deliverer.attempt(one, running);
    };
    const seal = async (added: readonly NewEvent[]) => {
      await appendEvents(db, added);
      await sealEvents(db);
    };
    const queueOr = (failed: Parameters<typeof queueEvents>[2]) => queueEvents(db, () => state.now, failed);
    const queue = () => queueOr(({ error }) => assert.fail(String(error)));
    const webhook = () => db.selectFrom('webhook').selectAll().executeTakeFirstOrThrow();
    const deliveries = () => db.selectFrom('webhook_delivery').selectAll().orderBy('id').execute();
    return { db, state, deliverer, claim, attemptAll, seal, queue, queueOr, webhook, deliveries };
  };
  return { withWebhook, close: async () => (await opened).close() };
}
