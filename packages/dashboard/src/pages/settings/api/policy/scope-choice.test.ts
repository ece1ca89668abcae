import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choiceOf, describeGrant, offeredGrants, readOnlyScopes, withoutCovered } from './scope-choice.ts';

const own = ['admin', 'files:read', 'files:write', 'invoices:read'].map((name) => ({
  name,
  description: `${name}.`,
  builtIn: false,
}));

test('the choice follows from the grants, without those for managing keys', () => {
  assert.equal(choiceOf([], own), 'none');
  assert.equal(choiceOf(['keys:read'], own), 'none');
  assert.equal(choiceOf(['*', 'keys:write'], own), 'all');
  assert.equal(choiceOf(['invoices:read', 'files:read'], own), 'read');
  assert.equal(choiceOf(['files:read'], own), 'custom');
  assert.equal(choiceOf(['*', 'files:read'], own), 'custom');
});

test('"Read only" selects every scope of the catalog that ends in :read', () => {
  assert.deepEqual(readOnlyScopes(own), ['files:read', 'invoices:read']);
  assert.equal(choiceOf([], []), 'none', 'also without a catalog');
});

test('scopes with a common prefix are offered with a wildcard, and grants that are no longer in the catalog come last', () => {
  const offered = offeredGrants(own, ['gone:write', 'gone:*', 'keys:read', 'files:read']);
  assert.deepEqual(
    offered.map(({ grant }) => grant),
    ['admin', 'files:*', 'files:read', 'files:write', 'invoices:read', 'gone:write', 'gone:*'],
  );
  assert.equal(offered[5]?.text, 'No longer in the catalog.');
});

test('a grant is described by the catalog, by what it covers, or as unknown', () => {
  assert.equal(describeGrant('files:read', own), 'files:read.');
  assert.match(describeGrant('keys:write', own), /Create, change, rotate and revoke keys/);
  assert.match(describeGrant('*', own), /All scopes of your API/);
  assert.match(describeGrant('files:*', own), /start with "files:",/);
  assert.equal(describeGrant('other', own), 'No longer in the catalog.');
  assert.equal(describeGrant('other', undefined), '', 'while the catalog is loading');
});

test('grants that a wildcard covers are left out', () => {
  assert.deepEqual(withoutCovered(['files:read', 'files:*', 'admin']), ['files:*', 'admin']);
  assert.deepEqual(withoutCovered(['files:*', '*', 'admin']), ['*']);
});
