import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unrestrictedKey } from '../../../../test/support/verified-key.ts';
import { checkPolicy, type Policy } from './check-policy.ts';

const required = { environment: 'live', address: '192.0.2.2', needs: ['keys:read'] } as const;

test('the first reason in the order retired, expired, disabled, environment, address, scope is returned', () => {
  const policy: Policy = {
    ...unrestrictedKey,
    ...{ retiresAt: 5, expiresAt: 5, disabled: true, environment: 'test', allowedAddresses: '192.0.2.1' },
  };
  const reasons: (string | undefined)[] = [];
  const check = (change: Partial<Policy>) => {
    Object.assign(policy, change);
    reasons.push(checkPolicy(policy, required, 5)?.code);
  };
  for (const change of [
    {},
    { retiresAt: 6 },
    { expiresAt: 6 },
    { disabled: false },
    { environment: 'live' },
    { allowedAddresses: '192.0.2.0/24' },
    { scopes: ['keys:read'] },
  ] as const) {
    check(change);
  }
  assert.deepEqual(reasons, [
    'revoked_key',
    'expired_key',
    'disabled_key',
    'wrong_environment',
    'ip_not_allowed',
    'insufficient_scope',
    undefined,
  ]);
});

test('a scope that this version does not know grants nothing', () => {
  const policy = { ...unrestrictedKey, scopes: ['*', 'keys:*', 'keys:read:all'] };
  assert.equal(checkPolicy(policy, required, 0)?.scope, 'keys:read');
  assert.equal(checkPolicy(policy, { environment: 'any' }, 0), undefined);
});
