import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyHistory, Outage } from './checker.ts';

const never = new Outage();

/** A key whose creation returned at 10, and whose revoke was sent at 50 and returned at 60. */
function revokedLife(): KeyHistory {
  const life = new KeyHistory(10);
  life.revokeSent(50);
  life.revoked(60);
  return life;
}

function judge(life: KeyHistory, sentAt: number, answeredAt: number, outcome: string, outage = never) {
  return life.judge({ sentAt, answeredAt, outcome }, outage);
}

test('an active key, a revoked key, and either result during the revoke are no violations', () => {
  const life = new KeyHistory(10);
  assert.equal(judge(life, 5, 9, 'unknown_key'), null);
  assert.equal(judge(life, 11, 12, 'accepted'), null);
  life.revokeSent(50);
  assert.equal(judge(life, 45, 51, 'revoked_key'), null);
  assert.equal(judge(life, 51, 52, 'revoked_key'), null);
  assert.equal(judge(life, 53, 54, 'accepted'), null, 'another node may not have applied it yet');
  life.revoked(60);
  assert.equal(judge(life, 59, 5000, 'accepted'), null, 'sent before the response, on a frozen node');
  assert.equal(judge(life, 61, 62, 'revoked_key'), null);
});

test('an acceptance of a request that was sent after a revoke returned is a violation', () => {
  assert.match(judge(revokedLife(), 60.5, 61, 'accepted') ?? '', /^accepted, sent 0\.500 ms after a revoke/);
});

test('of several revokes the first request and the first response count', () => {
  const life = revokedLife();
  life.revokeSent(40);
  life.revokeSent(70);
  life.revoked(80);
  assert.match(judge(life, 65, 90, 'accepted') ?? '', /^accepted/);
  assert.equal(judge(life, 20, 45, 'revoked_key'), null);
  const again = new KeyHistory(10);
  again.revoked(80);
  again.revoked(60);
  assert.match(
    judge(again, 65, 90, 'accepted') ?? '',
    /^accepted/,
    'the second one waited for a shorter time',
  );
});

test('a revoke without a response guarantees nothing, and may have succeeded', () => {
  const life = new KeyHistory(10);
  life.revokeSent(50);
  assert.equal(judge(life, 1000, 1001, 'accepted'), null);
  assert.equal(judge(life, 1000, 1001, 'revoked_key'), null);
});

test('a rejection of a key that no one was revoking is a violation', () => {
  for (const outcome of ['revoked_key', 'unknown_key']) {
    assert.equal(judge(new KeyHistory(10), 11, 12, outcome), `${outcome} while alive`);
    assert.equal(judge(revokedLife(), 11, 49, outcome), `${outcome} while alive`);
  }
});

test('another code than revoked_key after the revoke is a violation: the key was lost', () => {
  assert.equal(judge(revokedLife(), 61, 62, 'unknown_key'), 'unknown_key when revoked');
});

test('an unexpected result is a violation', () => {
  assert.equal(judge(revokedLife(), 61, 62, 'internal_error'), 'answered internal_error');
});

test('a node may fail during an outage and until its recovery time, and at no other time', () => {
  const outage = new Outage();
  const life = new KeyHistory(0);
  for (const outcome of ['verification_unavailable', 'no answer']) {
    assert.equal(judge(life, 1, 2, outcome), `${outcome} without an outage`);
  }
  const unavailable = (sentAt: number, answeredAt: number) =>
    judge(life, sentAt, answeredAt, 'verification_unavailable', outage);
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

test('an outage excuses no acceptance and no wrong rejection', () => {
  const outage = new Outage();
  outage.begin(0);
  assert.match(judge(revokedLife(), 61, 62, 'accepted', outage) ?? '', /^accepted/);
  assert.equal(judge(revokedLife(), 11, 12, 'revoked_key', outage), 'revoked_key while alive');
});
