import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SecretHistory } from '../torture/checker.ts';
import { findViolations, type Operation } from './history.ts';

const created: Operation = { kind: 'create', key: 'a', sentAt: 0, receivedAt: 10 };
const revoked: Operation = { kind: 'revoke', key: 'a', sentAt: 50, receivedAt: 60 };

function use(sentAt: number, receivedAt: number, errorCode: string | null = null, key = 'a'): Operation {
  return { kind: 'use', key, sentAt, receivedAt, errorCode };
}

test('a history in which a key is active, then revoked, and stays revoked has no violations', () => {
  const history = [
    created,
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

test('an acceptance of a request that was sent after the revoke returned is a violation', () => {
  assert.deepEqual(findViolations([created, revoked, use(60.5, 61)]), [
    'a: accepted although revoked_key was due, sent 0.500 ms after the change returned',
  ]);
});

test('of several revokes of a key, the first one counts', () => {
  const again: Operation = { ...revoked, sentAt: 70, receivedAt: 80 };
  assert.equal(findViolations([created, again, revoked, use(65, 90)]).length, 1);
});

test('a rejection before any revoke was sent is a violation', () => {
  assert.deepEqual(findViolations([created, use(11, 49, 'revoked_key'), revoked]), [
    'a: revoked_key without a reason',
  ]);
  assert.equal(findViolations([created, use(11, 49, 'unknown_key')]).length, 1, 'never revoked at all');
});

test('an acceptance of a request that was sent after a rejection is a violation', () => {
  const history = [created, use(50.5, 51, 'revoked_key'), use(52, 53), revoked];
  assert.deepEqual(findViolations(history), ['a: accepted 1.000 ms after it was rejected as revoked']);
});

test('another code than revoked_key after the revoke is a violation', () => {
  assert.deepEqual(findViolations([created, revoked, use(61, 62, 'unknown_key')]), [
    'a: unexpected result unknown_key',
  ]);
});

test('changes of a key decide from their responses on', () => {
  const change = (value: boolean, sentAt: number): Operation => {
    const begin = ({ key: { isDisabled } }: SecretHistory, at: number) => isDisabled.change(value, at);
    return { kind: 'change', key: 'a', sentAt, receivedAt: sentAt + 10, begin };
  };
  const changes = [created, change(true, 50), change(false, 70)];
  assert.deepEqual(findViolations([...changes, use(61, 69, 'disabled_key'), use(81, 82)]), []);
  assert.deepEqual(findViolations([...changes, use(61, 69), use(81, 82, 'disabled_key')]), [
    'a: accepted although disabled_key was due, sent 1.000 ms after the change returned',
    'a: disabled_key without a reason',
  ]);
});

test('the revoke of one key does not affect another', () => {
  const other: Operation = { kind: 'create', key: 'b', sentAt: 0, receivedAt: 10 };
  assert.deepEqual(findViolations([created, other, revoked, use(70, 71, null, 'b')]), []);
});
