import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SecretHistory } from './checker.ts';
import { change, check, created, epoch } from './histories.ts';
import { atOnce, EndByFirstUse, earlier } from './restrictions.ts';

test('an expiry decides by the clock of the verifying node, within the tolerance', () => {
  const history = created();
  const end = epoch + 1000;
  change(history.key.expiresAt, { from: end, to: end }, 20, 30);
  const at = (from: number, to: number, outcome: string) =>
    check(history, 31, 32, outcome, { clock: { from: end + from, to: end + to } });
  assert.equal(at(-20, -10, 'accepted'), null);
  assert.equal(at(-20, -10, 'expired_key'), 'expired_key without a reason');
  assert.equal(at(-10, 1, 'expired_key'), null);
  assert.equal(at(-1, 10, 'accepted'), null);
  assert.equal(at(-10, -3, 'expired_key'), null, 'within the tolerance');
  assert.equal(at(3, 10, 'accepted'), null, 'within the tolerance');
  assert.equal(at(10, 20, 'expired_key'), null);
  assert.match(at(10, 20, 'accepted') ?? '', /^accepted although expired_key was due/);
  assert.equal(at(-3_600_000, 3_600_000, 'accepted'), null, 'while the clock jumps');
});

test('a secret that a rotation retired at once is rejected, and the new one is accepted', () => {
  const old = created();
  const rotation = old.retiresAt.change(atOnce, 50);
  assert.equal(check(old, 51, 52, 'accepted'), null);
  assert.equal(check(old, 51, 52, 'revoked_key'), null);
  rotation.completed(60);
  assert.equal(check(old, 61, 62, 'revoked_key'), null);
  assert.match(
    check(old, 61, 62, 'accepted') ?? '',
    /^accepted although revoked_key was due, sent 1\.000 ms/,
  );
  const next = new SecretHistory(old.key, 60);
  assert.equal(check(next, 61, 62, 'accepted'), null);
  assert.equal(check(next, 61, 62, 'revoked_key'), 'revoked_key without a reason');
  assert.equal(check(next, 61, 62, 'unknown_key'), 'unexpected result unknown_key');
  old.key.isRevoked.change(true, 70).completed(80);
  for (const history of [old, next]) assert.equal(check(history, 81, 82, 'revoked_key'), null);
  assert.match(check(next, 81, 82, 'accepted') ?? '', /^accepted although revoked_key was due/);
});

test('a secret in its grace is accepted until the end of the grace, and no longer', () => {
  const old = created();
  // Some node retires it between 1000 and 1010.
  change(old.retiresAt, { from: epoch + 1000, to: epoch + 1010 }, 50, 60);
  assert.equal(check(old, 900, 990, 'accepted'), null);
  assert.equal(check(old, 900, 990, 'revoked_key'), 'revoked_key without a reason');
  for (const outcome of ['accepted', 'revoked_key']) assert.equal(check(old, 1001, 1009, outcome), null);
  assert.match(check(old, 1020, 1030, 'accepted') ?? '', /^accepted although revoked_key was due/);
});

test('a node whose clock is behind may know that another one has retired a secret', () => {
  const old = created();
  change(old.retiresAt, { from: epoch + 1000, to: epoch + 1000 }, 50, 60);
  const hour = 3_600_000;
  const behind = (sentAt: number, outcome: string) =>
    check(old, sentAt, sentAt + 10, outcome, {
      clock: { from: epoch + sentAt - hour, to: epoch + sentAt + 10 - hour },
      wall: { from: epoch + sentAt, to: epoch + sentAt + 10 },
    });
  for (const outcome of ['accepted', 'revoked_key']) assert.equal(behind(1020, outcome), null);
  assert.equal(behind(900, 'revoked_key'), 'revoked_key without a reason');
});

test('a later rotation shortens a grace and never extends it', () => {
  const old = created();
  const first = { from: epoch + 1000, to: epoch + 1000 };
  change(old.retiresAt, first, 50, 60);
  change(old.retiresAt, earlier(first, { from: epoch + 5000, to: epoch + 5000 }), 100, 110);
  assert.match(check(old, 1020, 1030, 'accepted') ?? '', /^accepted/);
  change(old.retiresAt, earlier(first, { from: epoch + 500, to: epoch + 500 }), 200, 210);
  assert.match(check(old, 520, 530, 'accepted') ?? '', /^accepted/);
});

test('a rotation without a response may have ended a secret, whatever follows', () => {
  const old = created();
  const first = { from: epoch + 1000, to: Number.POSITIVE_INFINITY };
  old.retiresAt.change(first, 50);
  change(old.retiresAt, earlier(first, { from: epoch + 5000, to: epoch + 5000 }), 100, 110);
  assert.equal(check(old, 900, 990, 'revoked_key'), 'revoked_key without a reason');
  for (const outcome of ['accepted', 'revoked_key']) assert.equal(check(old, 2000, 2010, outcome), null);
  assert.match(check(old, 5010, 5020, 'accepted') ?? '', /^accepted/);
});

test('a grace that starts at the first use lasts from then on, and starts within the bound', () => {
  const old = created();
  const end = new EndByFirstUse(1000, { clockMs: 0, firstUseMs: 5000 });
  change(old.retiresAt, end, 50, 60);
  const next = new SecretHistory(old.key, 60, [end]);
  assert.equal(check(old, 100_000, 100_001, 'revoked_key'), 'revoked_key without a reason', 'not used yet');
  const sentAt = 100_000;
  next.used({ from: epoch + sentAt, to: epoch + sentAt });
  assert.equal(check(next, sentAt, sentAt + 10, 'accepted'), null);
  assert.equal(check(old, sentAt + 900, sentAt + 990, 'accepted'), null);
  assert.equal(check(old, sentAt + 900, sentAt + 990, 'revoked_key'), 'revoked_key without a reason');
  for (const outcome of ['accepted', 'revoked_key'])
    assert.equal(check(old, sentAt + 1100, sentAt + 4900, outcome), null, 'the end may not be stored yet');
  assert.match(check(old, sentAt + 5020, sentAt + 5030, 'accepted') ?? '', /^accepted/);
});

test('a first use whose response was lost may have started the grace', () => {
  const old = created();
  const end = new EndByFirstUse(1000, { clockMs: 0, firstUseMs: 5000 });
  change(old.retiresAt, end, 50, 60);
  const next = new SecretHistory(old.key, 60, [end]);
  next.used({ from: epoch + 100, to: epoch + 100 });
  for (const outcome of ['accepted', 'revoked_key']) assert.equal(check(old, 2000, 2001, outcome), null);
  assert.equal(check(old, 900, 1000, 'revoked_key'), 'revoked_key without a reason');
});
