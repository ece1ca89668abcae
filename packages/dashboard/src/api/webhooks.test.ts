import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Delivery } from '@soku/contract/webhooks';
import { refreshDelay } from './webhooks.ts';

const now = Date.UTC(2026, 10, 30);

const delivery = (nextIn: number | null): Delivery => ({
  id: 'whd_1',
  eventId: null,
  type: 'webhook.test',
  status: nextIn === null ? 'succeeded' : 'pending',
  createdAt: new Date(now).toISOString(),
  attempts: 1,
  nextAttemptAt: nextIn === null ? null : new Date(now + nextIn).toISOString(),
  request: { headers: {}, body: '{}' },
  lastAttempt: null,
  earlierAttempts: [],
});

const delay = (...next: Array<number | null>) => refreshDelay(next.map(delivery), now);

test('deliveries are requested again a second after the next attempt, and at least every ten seconds', () => {
  assert.equal(delay(), 10_000);
  assert.equal(delay(null), 10_000);
  assert.equal(delay(300_000, 5000, null), 6000);
  assert.equal(delay(-200), 1000);
});

test('a delivery that has been due for a minute is requested every ten seconds, because something else blocks it', () => {
  assert.equal(delay(-61_000), 10_000);
  assert.equal(delay(-61_000, -1000), 1000);
});
