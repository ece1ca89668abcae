/** The scopes that keys can hold: the catalog of a workspace, and what it permits to give to a key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditPageSchema } from '@soku/contract/audit';
import { createdKeySchema, keySchema } from '@soku/contract/keys';
import { scopeCatalogSchema } from '@soku/contract/scope-catalog';
import { assertProblem, Contract } from '../support/contract.ts';
import type { HttpResponse } from '../support/person.ts';
import { addAccount, openSession } from '../support/session.ts';
import { proxyAndWebhookEnv, sharedServer } from '../support/shared-server.ts';

const server = await sharedServer(proxyAndWebhookEnv);
const contract = await Contract.of(server);
// This file replaces whole catalogs, and others have keys with scopes of their own.
const ada = await openSession(server, await addAccount(server));
const bob = await openSession(server, await addAccount(server));

const replace = (scopes: unknown, as = ada) => contract.call('PUT', '/v1/scopes', { as, body: { scopes } });
const create = (scopes: string[], key?: string) =>
  contract.call('POST', '/v1/api-keys', {
    ...(key === undefined ? { as: ada } : { key }),
    body: { name: `with ${scopes.join(' ')}`.slice(0, 100), scopes },
  });
const change = (id: string, body: object) => contract.call('PATCH', `/v1/api-keys/${id}`, { as: ada, body });
const named = (...names: string[]) => names.map((name) => ({ name }));

function scopesOf(response: HttpResponse): string[] {
  assert.ok(response.status < 300, response.text);
  const { key } = response.status === 201 ? createdKeySchema.parse(response.body) : { key: response.body };
  return keySchema.parse(key).scopes;
}

/** Sets the catalog, and fails unless it is accepted. */
async function setCatalog(...names: string[]): Promise<void> {
  const response = await replace(named(...names));
  assert.equal(response.status, 200, response.text);
}

/** Revokes the keys that a test created, so that the next one can remove their scopes. */
async function revokeAll(): Promise<void> {
  assert.equal((await ada.call('POST', '/v1/api-keys/revoke', { all: true })).status, 200);
}

test('a catalog is stored as sent, sorted by name, besides the built-in scopes', async () => {
  const scopes = [
    { name: 'files:write', description: '  Überschreibt Dateien. ' },
    { name: 'files:read', description: '' },
    { name: 'a' },
    { name: 'files', description: 'x'.repeat(200) },
  ];
  const replaced = await replace(scopes);
  assert.equal(replaced.status, 200, replaced.text);
  const listed = await contract.call('GET', '/v1/scopes', { as: ada });
  assert.deepEqual(listed.body, replaced.body);
  const { data } = scopeCatalogSchema.strict().parse(listed.body);
  assert.deepEqual(
    data.slice(0, 4).map(({ name, description }) => [name, description]),
    [
      ['a', ''],
      ['files', 'x'.repeat(200)],
      ['files:read', ''],
      ['files:write', 'Überschreibt Dateien.'],
    ],
  );
  assert.deepEqual(
    data.filter(({ builtIn }) => builtIn).map(({ name }) => name),
    ['keys:read', 'keys:write', 'keys:verify', 'audit:read'],
  );
});

test('the largest catalog fits into one call, in any script', async () => {
  const name = (i: number) => `scope-${i}:${'x'.repeat(64)}`.slice(0, 64);
  const scopes = Array.from({ length: 200 }, (_, i) => ({ name: name(i), description: '語'.repeat(200) }));
  const replaced = await replace(scopes);
  assert.equal(replaced.status, 200, replaced.text.slice(0, 300));
  const { data } = scopeCatalogSchema.parse(replaced.body);
  assert.deepEqual(data.filter((scope) => !scope.builtIn).length, 200);
  const error = assertProblem(await replace([...scopes, { name: 'one:more' }]), 'invalid_request');
  assert.equal(error.details?.[0]?.path, 'scopes');
  const large = [{ name: 'a', description: 'x'.repeat(256 * 1024) }];
  assert.match(assertProblem(await replace(large), 'payload_too_large').message, /262144 bytes/);
  await setCatalog();
});

test('an invalid catalog is rejected with the path of the field, and changes nothing', async () => {
  await setCatalog('files:read');
  const { apiKey } = await ada.createKey({ name: 'a key' });
  const cases: [unknown, string][] = [
    [undefined, 'scopes'],
    ['files:read', 'scopes'],
    [[{}], 'scopes.0.name'],
    [named('a', 'Files'), 'scopes.1.name'],
    [named('files:'), 'scopes.0.name'],
    [named('files:*'), 'scopes.0.name'],
    [named('*'), 'scopes.0.name'],
    [named(''), 'scopes.0.name'],
    [named('a b'), 'scopes.0.name'],
    [named('1a'), 'scopes.0.name'],
    [named('a"b'), 'scopes.0.name'],
    [named('a\n'), 'scopes.0.name'],
    [named('x'.repeat(65)), 'scopes.0.name'],
    [named('keys:read'), 'scopes.0.name'],
    [named('keys:files'), 'scopes.0.name'],
    [named('keys'), 'scopes.0.name'],
    [named('audit:export:all'), 'scopes.0.name'],
    [named('b', 'a', 'b'), 'scopes.2.name'],
    [[{ name: 'a', description: 'x'.repeat(201) }], 'scopes.0.description'],
    [[{ name: 'a', description: 'a\u202eb' }], 'scopes.0.description'],
    [[{ name: 'a', description: 'two\nlines' }], 'scopes.0.description'],
    [[{ name: 'a', description: `not ${apiKey}` }], 'scopes.0.description'],
    [[{ name: 'a', builtIn: false }], 'scopes.0'],
  ];
  for (const [scopes, path] of cases) {
    const response = await replace(scopes);
    const error = assertProblem(response, 'invalid_request');
    assert.equal(error.details?.[0]?.path, path, JSON.stringify(scopes));
    assert.ok(!response.text.includes(apiKey));
  }
  const listed = scopeCatalogSchema.parse((await ada.call('GET', '/v1/scopes')).body);
  assert.deepEqual(
    listed.data.filter(({ builtIn }) => !builtIn),
    [{ name: 'files:read', description: '', builtIn: false }],
  );
});

test('only people can change the catalog; reading it takes keys:read', async () => {
  const { apiKey: manager } = await ada.createKey({ name: 'manager', scopes: ['keys:read', 'keys:write'] });
  const { apiKey: ordinary } = await ada.createKey({ name: 'ordinary' });
  const body = { scopes: named('files:read') };
  assertProblem(await contract.call('PUT', '/v1/scopes', { key: manager, body }), 'session_required');
  assertProblem(await contract.call('PUT', '/v1/scopes', { key: ordinary, body }), 'insufficient_scope');
  assertProblem(await contract.call('GET', '/v1/scopes', { key: ordinary }), 'insufficient_scope');
  assertProblem(await contract.call('GET', '/v1/scopes'), 'missing_authorization');
  assert.equal((await contract.call('GET', '/v1/scopes', { key: manager })).status, 200);
  const foreign = { as: ada, fields: [['Origin', 'https://evil.example'] as const], body };
  assertProblem(await contract.call('PUT', '/v1/scopes', foreign), 'cross_origin');
});

test('each workspace has its own catalog', async () => {
  await setCatalog('only-adas:read');
  const listed = scopeCatalogSchema.parse((await contract.call('GET', '/v1/scopes', { as: bob })).body);
  assert.ok(!listed.data.some(({ name }) => name === 'only-adas:read'));
  const response = await contract.call('POST', '/v1/api-keys', {
    as: bob,
    body: { name: "bob's", scopes: ['only-adas:read'] },
  });
  assertProblem(response, 'invalid_request');
});

test('a key can be given built-in scopes, scopes of the catalog, prefixes of them, and *', async () => {
  await setCatalog('files:images:read', 'files', 'orders:read');
  const allowed = ['keys:read', 'files:images:read', 'files', 'files:*', 'files:images:*', 'orders:*', '*'];
  for (const scope of allowed) assert.deepEqual(scopesOf(await create([scope])), [scope]);
  const { key } = await ada.createKey({ name: 'to change' });
  for (const scope of allowed) assert.deepEqual(scopesOf(await change(key.id, { scopes: [scope] })), [scope]);
  const rejected = [
    'files:read',
    'files:images',
    'files:images:read:*',
    'images:*',
    'order:*',
    'keys:delete',
    'audit',
    'unknown',
  ];
  for (const scope of rejected) {
    for (const response of [
      await create(['orders:read', scope]),
      await change(key.id, { scopes: ['*', scope] }),
    ]) {
      const error = assertProblem(response, 'invalid_request');
      assert.ok(error.message.includes(scope), error.message);
      assert.equal(error.details?.[0]?.path, 'scopes.1');
    }
  }
  for (const scope of ['keys:*', 'audit:*', '*:read', 'fi*', ':*', '**']) {
    assertProblem(await create([scope]), 'invalid_request');
    assertProblem(await change(key.id, { scopes: [scope] }), 'invalid_request');
  }
  assert.deepEqual(scopesOf(await change(key.id, { name: 'renamed' })), ['*']);
  await revokeAll();
});

test('the scopes of a key are sorted, and each is stored once', async () => {
  await setCatalog('b:c', 'b', 'a');
  const sent = ['b:c', 'keys:read', 'a', 'b', 'a', 'b:c'];
  const { key } = createdKeySchema.parse((await create(sent)).body);
  assert.deepEqual(key.scopes, ['a', 'b', 'b:c', 'keys:read']);
  assert.deepEqual(scopesOf(await change(key.id, { scopes: ['b', 'a', 'b'] })), ['a', 'b']);
  await revokeAll();
});

test('a scope that a key holds by name cannot be removed; one below a wildcard can', async () => {
  await setCatalog('files:read', 'files:write', 'orders:read');
  const { key } = createdKeySchema.parse((await create(['files:read', 'orders:*'])).body);
  const others = [];
  for (let i = 0; i < 4; i++)
    others.push(await ada.createKey({ name: `reader ${i}`, scopes: ['files:read'] }));
  const expired = await ada.createKey({ name: 'writer', scopes: ['files:write'] });
  await ada.call('PATCH', `/v1/api-keys/${expired.key.id}`, { disabled: true });

  const error = assertProblem(await replace(named('orders:read')), 'scope_in_use');
  assert.match(error.message, /files:read \(5 keys\), files:write \(1 key\)/);
  assert.deepEqual(error.details, [
    {
      path: 'scopes',
      problem: `must include files:read, the scope of 5 keys: ${key.name}, reader 0, reader 1 and 2 more`,
    },
    { path: 'scopes', problem: 'must include files:write, the scope of 1 key: writer' },
  ]);
  await setCatalog('files:read', 'files:write');

  // The key keeps the wildcard, also when other fields or scopes of it change.
  assert.deepEqual(scopesOf(await change(key.id, { name: 'still' })), ['files:read', 'orders:*']);
  assert.deepEqual(scopesOf(await change(key.id, { scopes: ['orders:*', 'files:*'] })), [
    'files:*',
    'orders:*',
  ]);
  assertProblem(await create(['orders:*']), 'invalid_request');

  for (const other of others) await ada.revoke(other.key.id);
  assertProblem(await replace([]), 'scope_in_use');
  await ada.revoke(expired.key.id);
  await setCatalog();
  await revokeAll();
});

test('a key cannot grant a scope below its wildcard that the catalog lacks', async () => {
  await setCatalog('files:read', 'orders:read');
  const { apiKey } = createdKeySchema.parse((await create(['keys:write', 'files:*'])).body);
  assert.deepEqual(scopesOf(await create(['files:read', 'files:*'], apiKey)), ['files:*', 'files:read']);
  assertProblem(await create(['files:write'], apiKey), 'invalid_request');
  // Not a 400 for those that it does not have, so that it cannot list the catalog.
  for (const scope of ['orders:read', 'orders:write', '*']) {
    assertProblem(await create([scope], apiKey), 'insufficient_scope');
  }
  await revokeAll();
});

test('a scope cannot be removed and given to a key at the same time', async () => {
  for (let round = 0; round < 10; round++) {
    await setCatalog('files:read');
    const { key } = await ada.createKey({ name: 'changed meanwhile' });
    const [removed, created, changed] = await Promise.all([
      replace([]),
      create(['files:read']),
      change(key.id, { scopes: ['files:read'] }),
    ]);
    const given = [created, changed].filter(({ status }) => status < 300).length;
    assert.ok(removed.status === 200 ? given === 0 : given > 0, `${removed.status}, given to ${given} keys`);
    if (removed.status !== 200) assertProblem(removed, 'scope_in_use');
    await revokeAll();
  }
});

test('a change of the catalog has one event, and a call that changes nothing has none', async () => {
  await replace([{ name: 'a' }, { name: 'b' }, { name: 'c', description: 'before' }]);
  await replace([{ name: 'a' }, { name: 'c', description: 'after' }, { name: 'd' }, { name: 'e' }]);
  await replace([{ name: 'e' }, { name: 'd' }, { name: 'c', description: 'after' }, { name: 'a' }]);
  const page = await contract.call('GET', '/v1/audit?action=scopes.updated&limit=2', { as: ada });
  const [latest] = auditPageSchema.parse(page.body).data;
  assert.equal(latest?.target.kind, 'workspace');
  assert.deepEqual(latest.details, { added: 'd e', removed: 'b', described: 'c' });
  await setCatalog();
});
