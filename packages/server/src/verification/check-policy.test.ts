import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkPolicy, type Policy } from './check-policy.ts';

const never = Number.POSITIVE_INFINITY;
const open: Policy = { retiresAt: never, expiresAt: never, scopes: [], rateLimit: null };
const needs = ['keys:read'] as const;

test('the first reason in the order retired, expired, scope is returned', () => {
  const all = { ...open, retiresAt: 5, expiresAt: 5 };
  const codes = (policy: Policy, now: number) => checkPolicy(policy, { needs }, now)?.code;
  assert.equal(codes(all, 5), 'revoked_key');
  assert.equal(codes({ ...all, retiresAt: 6 }, 5), 'expired_key');
  assert.equal(codes({ ...all, retiresAt: 6, expiresAt: 6 }, 5), 'insufficient_scope');
  assert.equal(codes({ ...all, retiresAt: 6, expiresAt: 6, scopes: ['keys:read'] }, 5), undefined);
});

test('a scope that this version does not know grants nothing', () => {
  const policy = { ...open, scopes: ['*', 'keys:*', 'keys:read:all'] };
  assert.equal(checkPolicy(policy, { needs }, 0)?.scope, 'keys:read');
  assert.equal(checkPolicy(policy, {}, 0), undefined);
});
