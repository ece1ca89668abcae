import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Secret } from '@soku/contract/secrets';
import { countdown, formatGrace, rotationOf } from './rotation.ts';

const now = Date.parse('2026-03-01T12:00:00Z');
const at = (hours: number) => new Date(now + hours * 3_600_000).toISOString();

function secret(changes: Partial<Secret>): Secret {
  return {
    id: 'sec_00000000000000000000000000',
    preview: 'sk_live_abc...xyz',
    createdAt: at(-10),
    retiresAt: null,
    retiredAt: null,
    graceSeconds: null,
    lastUsedAt: null,
    ...changes,
  };
}

const rotation = (...secrets: Secret[]) => rotationOf({ secrets, status: 'active' }, now);

test('a key with one accepted secret is not being rotated', () => {
  assert.equal(rotation(secret({})), null);
  assert.equal(rotation(secret({}), secret({ retiredAt: at(-1) }), secret({ retiresAt: at(-1) })), null);
  const secrets = [secret({}), secret({ retiresAt: at(1) })];
  assert.equal(rotationOf({ secrets, status: 'revoked' }, now), null);
  assert.notEqual(rotationOf({ secrets, status: 'disabled' }, now), null);
});

test('the countdown is to the older secret that retires first', () => {
  const found = rotation(secret({}), secret({ retiresAt: at(5) }), secret({ retiresAt: at(2), id: 'first' }));
  assert.equal(found?.next?.secret.id, 'first');
  assert.equal(found?.next?.at, now + 2 * 3_600_000);
  assert.equal(found?.grace, null);
});

test('before the first use of the new secret there is a grace period and no end', () => {
  const found = rotation(secret({ createdAt: at(-0.5) }), secret({ graceSeconds: 3600 }));
  assert.equal(found?.next, null);
  assert.equal(found?.grace, 3600);
  assert.equal(found?.isUnfinished, false, 'within the first hour');
});

test('an hour without a use of the new secret makes a rotation unfinished', () => {
  const older = secret({ graceSeconds: 3600 });
  assert.equal(rotation(secret({ createdAt: at(-1) }), older)?.isUnfinished, true);
  assert.equal(rotation(secret({ createdAt: at(-1), lastUsedAt: at(-0.5) }), older)?.isUnfinished, false);
});

test('a grace period is in the largest unit that fits, and a day is 24 hours', () => {
  const texts = [1, 90, 60, 3600, 5400, 86_400, 172_800, 604_800].map(formatGrace);
  assert.deepEqual(texts, [
    '1 second',
    '90 seconds',
    '1 minute',
    '1 hour',
    '90 minutes',
    '24 hours',
    '2 days',
    '7 days',
  ]);
});

test('a countdown has two digits for each unit, and days only if there are any', () => {
  const text = (ms: number) =>
    countdown(ms)
      .map(({ unit, value }) => value + unit)
      .join(' ');
  assert.equal(text(63_728_000), '17h 42min 08s');
  assert.equal(text(604_799_001), '7d 00h 00min 00s');
  assert.equal(text(1), '00h 00min 01s');
  assert.equal(text(-5000), '00h 00min 00s');
});
