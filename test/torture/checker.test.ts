import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allAddresses, type SecretHistory } from './checker.ts';
import { change, check, created, epoch } from './histories.ts';
import { Outage } from './outage.ts';
import { never, type Use } from './restrictions.ts';

/** A secret whose key was created at 10; the revoke was sent at 50 and returned at 60. */
function revoked(): SecretHistory {
  const history = created();
  history.key.isRevoked.change(true, 50).completed(60);
  return history;
}

test('accepting an active key, rejecting a revoked key, and either result during the revoke are allowed', () => {
  const history = created();
  assert.equal(check(history, 5, 9, 'unknown_key'), null);
  assert.equal(check(history, 11, 12, 'accepted'), null);
  const revoke = history.key.isRevoked.change(true, 50);
  assert.equal(check(history, 45, 51, 'revoked_key'), null);
  assert.equal(check(history, 51, 52, 'revoked_key'), null);
  assert.equal(check(history, 53, 54, 'accepted'), null, 'another node may not have applied it yet');
  revoke.completed(60);
  assert.equal(check(history, 59, 5000, 'accepted'), null, 'sent before the response, on a frozen node');
  assert.equal(check(history, 61, 62, 'revoked_key'), null);
});

test('an acceptance of a request that was sent after a revoke returned is a violation', () => {
  assert.equal(
    check(revoked(), 60.5, 61, 'accepted'),
    'accepted although revoked_key was due, sent 0.500 ms after the change returned',
  );
});

test('of several revokes, the first request and the first response count', () => {
  const history = created();
  history.key.isRevoked.change(true, 50);
  history.key.isRevoked.change(true, 70).completed(80);
  history.key.isRevoked.change(true, 75).completed(77);
  assert.equal(check(history, 49, 51, 'revoked_key'), null);
  assert.notEqual(check(history, 48, 49, 'revoked_key'), null);
  assert.equal(check(history, 76, 90, 'accepted'), null);
  assert.match(check(history, 78, 90, 'accepted') ?? '', /^accepted/, 'the second revoke returned first');
});

test('a revoke without a response guarantees nothing, and may have succeeded', () => {
  const history = created();
  history.key.isRevoked.change(true, 50);
  assert.equal(check(history, 1000, 1001, 'accepted'), null);
  assert.equal(check(history, 1000, 1001, 'revoked_key'), null);
});

test('a rejection of a key that no one was revoking is a violation', () => {
  assert.equal(check(created(), 11, 12, 'revoked_key'), 'revoked_key without a reason');
  assert.equal(check(revoked(), 11, 49, 'revoked_key'), 'revoked_key without a reason');
});

test('an unknown key after its creation, and any other unexpected result, is a violation', () => {
  for (const outcome of ['unknown_key', 'internal_error', 'rate_limited']) {
    for (const history of [created(), revoked()])
      assert.equal(check(history, 61, 62, outcome), `unexpected result ${outcome}`);
  }
});

test('a node may fail only during an outage', () => {
  const outage = new Outage();
  for (const outcome of ['verification_unavailable', 'no response']) {
    assert.equal(check(created(), 11, 12, outcome), `${outcome} without an outage`);
  }
  outage.begin(100);
  for (const outcome of ['verification_unavailable', 'no response']) {
    assert.equal(check(created(), 99, 101, outcome, {}, outage), null);
  }
});

test('an outage excuses neither an acceptance of a revoked key nor a rejection of an active one', () => {
  const outage = new Outage();
  outage.begin(0);
  assert.match(check(revoked(), 61, 62, 'accepted', {}, outage) ?? '', /^accepted/);
  assert.equal(check(revoked(), 11, 12, 'revoked_key', {}, outage), 'revoked_key without a reason');
});

/** A restriction that is set, and later removed: how it changes, and a use that it affects. */
interface Toggle {
  code: string;
  set(history: SecretHistory, sentAt: number): { completed(at: number): void; withdrawn(): void };
  remove(history: SecretHistory, sentAt: number): { completed(at: number): void };
  use: Partial<Use>;
}

const toggles: readonly Toggle[] = [
  {
    code: 'disabled_key',
    set: ({ key }, at) => key.isDisabled.change(true, at),
    remove: ({ key }, at) => key.isDisabled.change(false, at),
    use: {},
  },
  {
    code: 'insufficient_scope',
    set: ({ key }, at) => key.scopes.change([], at),
    remove: ({ key }, at) => key.scopes.change(['files:read'], at),
    use: { scopes: ['files:read'] },
  },
  {
    code: 'ip_not_allowed',
    set: ({ key }, at) =>
      key.addresses.change({ allowedAddresses: ['192.0.2.0/24'], includes: ['192.0.2.1'] }, at),
    remove: ({ key }, at) => key.addresses.change(allAddresses, at),
    use: { address: '203.0.113.9' },
  },
  {
    code: 'expired_key',
    set: ({ key }, at) => key.expiresAt.change({ from: epoch, to: epoch }, at),
    remove: ({ key }, at) => key.expiresAt.change(never, at),
    use: {},
  },
];

for (const { code, set, remove, use } of toggles) {
  const checkUse = (history: SecretHistory, sentAt: number, receivedAt: number, outcome: string) =>
    check(history, sentAt, receivedAt, outcome, use);

  test(`${code}: a change may have any effect until it returns, and decides from then on`, () => {
    const history = created(['files:read']);
    assert.equal(checkUse(history, 20, 49, code), `${code} without a reason`);
    const setting = set(history, 50);
    assert.equal(checkUse(history, 40, 51, code), null);
    assert.equal(checkUse(history, 51, 52, 'accepted'), null);
    setting.completed(60);
    assert.equal(checkUse(history, 59, 70, 'accepted'), null);
    assert.equal(checkUse(history, 61, 62, code), null);
    assert.equal(
      checkUse(history, 61, 62, 'accepted'),
      `accepted although ${code} was due, sent 1.000 ms after the change returned`,
    );
    const removal = remove(history, 80);
    assert.match(checkUse(history, 61, 79, 'accepted') ?? '', /^accepted/, 'before the removal was sent');
    assert.equal(checkUse(history, 61, 81, 'accepted'), null);
    assert.equal(checkUse(history, 81, 82, code), null);
    removal.completed(90);
    assert.equal(checkUse(history, 89, 95, code), null);
    assert.equal(checkUse(history, 91, 92, 'accepted'), null);
    assert.equal(checkUse(history, 91, 92, code), `${code} without a reason`);
  });

  test(`${code}: a request that spans several changes may have either result`, () => {
    const history = created(['files:read']);
    set(history, 50).completed(60);
    remove(history, 70).completed(80);
    for (const outcome of ['accepted', code]) assert.equal(checkUse(history, 40, 90, outcome), null);
  });

  test(`${code}: a change without a response, and one that was rejected, guarantee nothing`, () => {
    const history = created(['files:read']);
    const setting = set(history, 50);
    for (const outcome of ['accepted', code]) assert.equal(checkUse(history, 900, 901, outcome), null);
    setting.withdrawn();
    assert.equal(checkUse(history, 900, 901, 'accepted'), null);
    assert.equal(checkUse(history, 900, 901, code), `${code} without a reason`);
  });

  test(`${code}: a revoked key is rejected as revoked, whatever else would reject it`, () => {
    const history = created(['files:read']);
    set(history, 50).completed(60);
    history.key.isRevoked.change(true, 70).completed(80);
    assert.equal(checkUse(history, 81, 82, 'revoked_key'), null);
    assert.equal(checkUse(history, 81, 82, code), `${code} although revoked_key was due`);
  });
}

test('a use that a restriction does not affect must pass it', () => {
  const history = created();
  change(history.key.scopes, ['files:read'], 20, 30);
  change(
    history.key.addresses,
    { allowedAddresses: ['192.0.2.0/24'], includes: ['192.0.2.1'] },
    ...([40, 50] as const),
  );
  const use = { scopes: ['files:read'] };
  assert.equal(check(history, 51, 52, 'accepted', use), null);
  for (const code of ['insufficient_scope', 'ip_not_allowed'])
    assert.equal(check(history, 51, 52, code, use), `${code} without a reason`);
});

test('the first of several restrictions, in the order of the contract, gives the code', () => {
  const history = created(['files:read']);
  for (const { set } of toggles) set(history, 20).completed(30);
  const use = { scopes: ['files:read'], address: '203.0.113.9' };
  const order = ['expired_key', 'disabled_key', 'ip_not_allowed', 'insufficient_scope'];
  for (const [i, code] of order.entries()) {
    const at = 100 * (i + 1);
    assert.equal(check(history, at, at + 1, code, use), null);
    for (const later of order.slice(i + 1))
      assert.equal(check(history, at, at + 1, later, use), `${later} although ${code} was due`);
    toggles
      .find((toggle) => toggle.code === code)
      ?.remove(history, at + 10)
      .completed(at + 20);
  }
  assert.equal(check(history, 900, 901, 'accepted', use), null);
});
