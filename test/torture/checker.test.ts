import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyHistory, Outage } from './checker.ts';

const never = new Outage();

/** A key whose creation returned at 10, and whose revoke was sent at 50 and returned at 60. */
function revokedHistory(): KeyHistory {
  const history = new KeyHistory(10);
  history.revokeSent(50);
  history.revoked(60);
  return history;
}

function check(history: KeyHistory, sentAt: number, receivedAt: number, outcome: string, outage = never) {
  return history.check({ sentAt, receivedAt, outcome }, outage);
}

test('accepting an active key, rejecting a revoked key, and either result during the revoke are allowed', () => {
  const history = new KeyHistory(10);
  assert.equal(check(history, 5, 9, 'unknown_key'), null);
  assert.equal(check(history, 11, 12, 'accepted'), null);
  history.revokeSent(50);
  assert.equal(check(history, 45, 51, 'revoked_key'), null);
  assert.equal(check(history, 51, 52, 'revoked_key'), null);
  assert.equal(check(history, 53, 54, 'accepted'), null, 'another node may not have applied it yet');
  history.revoked(60);
  assert.equal(check(history, 59, 5000, 'accepted'), null, 'sent before the response, on a frozen node');
  assert.equal(check(history, 61, 62, 'revoked_key'), null);
});

test('an acceptance of a request that was sent after a revoke returned is a violation', () => {
  assert.match(
    check(revokedHistory(), 60.5, 61, 'accepted') ?? '',
    /^accepted, sent 0\.500 ms after a revoke/,
  );
});

test('of several revokes, the first request and the first response count', () => {
  const history = revokedHistory();
  history.revokeSent(40);
  history.revokeSent(70);
  history.revoked(80);
  assert.match(check(history, 65, 90, 'accepted') ?? '', /^accepted/);
  assert.equal(check(history, 20, 45, 'revoked_key'), null);
  const again = new KeyHistory(10);
  again.revoked(80);
  again.revoked(60);
  assert.match(check(again, 65, 90, 'accepted') ?? '', /^accepted/, 'the second revoke returned first');
});

test('a revoke without a response guarantees nothing, and may have succeeded', () => {
  const history = new KeyHistory(10);
  history.revokeSent(50);
  assert.equal(check(history, 1000, 1001, 'accepted'), null);
  assert.equal(check(history, 1000, 1001, 'revoked_key'), null);
});

test('a rejection of a key that no one was revoking is a violation', () => {
  for (const outcome of ['revoked_key', 'unknown_key']) {
    assert.equal(check(new KeyHistory(10), 11, 12, outcome), `${outcome} while active`);
    assert.equal(check(revokedHistory(), 11, 49, outcome), `${outcome} while active`);
  }
});

test('another code than revoked_key after the revoke is a violation: the key was lost', () => {
  assert.equal(check(revokedHistory(), 61, 62, 'unknown_key'), 'unknown_key when revoked');
});

test('an unexpected result is a violation', () => {
  assert.equal(check(revokedHistory(), 61, 62, 'internal_error'), 'unexpected result internal_error');
});

test('a node may fail only during an outage and until its recovery time', () => {
  const outage = new Outage();
  const history = new KeyHistory(0);
  for (const outcome of ['verification_unavailable', 'no response']) {
    assert.equal(check(history, 1, 2, outcome), `${outcome} without an outage`);
  }
  const unavailable = (sentAt: number, receivedAt: number) =>
    check(history, sentAt, receivedAt, 'verification_unavailable', outage);
  outage.begin(100);
  assert.equal(unavailable(90, 101), null);
  assert.equal(unavailable(5000, 5001), null);
  assert.notEqual(unavailable(90, 99), null);
  outage.end(200);
  assert.equal(unavailable(199, 300), null);
  assert.notEqual(unavailable(201, 202), null);
  outage.begin(400);
  assert.notEqual(unavailable(300, 399), null, 'between two outages');
  outage.end(500);
  outage.begin(450);
  assert.equal(
    unavailable(399, 401),
    null,
    'the later of two overlapping outages does not hide the earlier one',
  );
});

test('an outage excuses neither an acceptance of a revoked key nor a rejection of an active one', () => {
  const outage = new Outage();
  outage.begin(0);
  assert.match(check(revokedHistory(), 61, 62, 'accepted', outage) ?? '', /^accepted/);
  assert.equal(check(revokedHistory(), 11, 12, 'revoked_key', outage), 'revoked_key while active');
});
