import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findViolations, type Operation } from './history.ts';

const made: Operation = { kind: 'create', key: 'a', sentAt: 0, answeredAt: 10 };
const revoked: Operation = { kind: 'revoke', key: 'a', sentAt: 50, answeredAt: 60 };

function use(sentAt: number, answeredAt: number, refused: string | null = null, key = 'a'): Operation {
  return { kind: 'use', key, sentAt, answeredAt, refused };
}

test('the checker passes a history in which the key lives, is revoked and stays dead', () => {
  const history = [
    made,
    use(5, 12, 'unknown_key'),
    use(11, 20),
    use(45, 55, 'revoked_key'),
    use(48, 70),
    use(52, 61),
    revoked,
    use(61, 62, 'revoked_key'),
  ];
  assert.deepEqual(findViolations(history), []);
});

test('the checker finds an acceptance that was sent after the revoke was answered', () => {
  assert.deepEqual(findViolations([made, revoked, use(60.5, 61)]), [
    'a: accepted 0.500 ms after the revoke was answered',
  ]);
});

test('the checker counts from the first of several revokes of a key', () => {
  const again: Operation = { ...revoked, sentAt: 70, answeredAt: 80 };
  assert.equal(findViolations([made, again, revoked, use(65, 90)]).length, 1);
});

test('the checker finds a refusal of a key that nobody had begun to revoke', () => {
  assert.deepEqual(findViolations([made, use(11, 49, 'revoked_key'), revoked]), [
    'a: refused with revoked_key while alive',
  ]);
  assert.equal(findViolations([made, use(11, 49, 'unknown_key')]).length, 1, 'never revoked at all');
});

test('the checker finds an acceptance that was sent after a refusal was answered', () => {
  const history = [made, use(50.5, 51, 'revoked_key'), use(52, 53), revoked];
  assert.deepEqual(findViolations(history), ['a: accepted 1.000 ms after a refusal was answered']);
});

test('the checker finds another reason than revoked_key after the revoke', () => {
  assert.deepEqual(findViolations([made, revoked, use(61, 62, 'unknown_key')]), [
    'a: refused with unknown_key when revoked',
  ]);
});

test('the checker keeps keys apart', () => {
  const other: Operation = { kind: 'create', key: 'b', sentAt: 0, answeredAt: 10 };
  assert.deepEqual(findViolations([made, other, revoked, use(70, 71, null, 'b')]), []);
});
