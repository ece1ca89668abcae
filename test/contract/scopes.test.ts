/** What a key may do to other keys: only what its scopes allow. It can pass on no more than it has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createdKeySchema, keySchema } from '@soku/contract/keys';
import { assertProblem, Contract } from '../support/contract.ts';
import type { HttpResponse } from '../support/person.ts';
import { retirePath } from '../support/rotation.ts';
import { runSql } from '../support/run-sql.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const contract = await Contract.of(server);
const ada = await openSession(server);
const target = await ada.createKey({ name: 'target' });

/** Every management call, with the scope that it requires. */
const calls = [
  { method: 'GET', path: '/v1/api-keys', scope: 'keys:read' },
  { method: 'GET', path: `/v1/api-keys/${target.key.id}`, scope: 'keys:read' },
  { method: 'POST', path: '/v1/api-keys', scope: 'keys:write', body: { name: 'created by a key' } },
  { method: 'PATCH', path: `/v1/api-keys/${target.key.id}`, scope: 'keys:write', body: { name: 'target' } },
  { method: 'GET', path: `/v1/api-keys/${target.key.id}/descendants`, scope: 'keys:read' },
  { method: 'POST', path: `/v1/api-keys/${target.key.id}/rotate`, scope: 'keys:write', body: {} },
  { method: 'POST', path: retirePath(target.key.id, target.key.secrets[0]?.id), scope: 'keys:write' },
  { method: 'POST', path: `/v1/api-keys/${target.key.id}/revoke`, scope: 'keys:write' },
];

async function keyWith(...scopes: string[]): Promise<string> {
  return (await ada.createKey({ name: scopes.join(' ') || 'ordinary', scopes })).apiKey;
}

function assertLacksScope(response: HttpResponse, scope: string): void {
  const error = assertProblem(response, 'insufficient_scope');
  assert.ok(error.message.includes(scope));
  const challenge = response.headers.get('www-authenticate') ?? '';
  assert.match(
    challenge,
    /^Bearer realm="soku", error="insufficient_scope", error_description="[ !#-[\]-~]+", /,
  );
  assert.ok(challenge.endsWith(`, scope="${scope}"`), challenge);
}

test('a key without scopes is valid for the API, but cannot manage keys', async () => {
  const key = await keyWith();
  assert.equal((await contract.call('GET', '/v1/me', { key })).status, 200);
  assert.equal((await contract.call('GET', '/v1/verify', { key })).status, 204);
  for (const { method, path, scope, ...rest } of calls) {
    assertLacksScope(await contract.call(method, path, { key, ...rest }), scope);
  }
});

test('a key with only keys:verify cannot manage keys', async () => {
  const key = await keyWith('keys:verify');
  for (const { method, path, scope, ...rest } of calls) {
    assertLacksScope(await contract.call(method, path, { key, ...rest }), scope);
  }
});

test('a key with only keys:read cannot write, and one with only keys:write cannot read', async () => {
  for (const own of ['keys:read', 'keys:write']) {
    const key = await keyWith(own);
    for (const { method, path, scope, ...rest } of calls) {
      const response = await contract.call(method, path, { key, ...rest });
      if (scope === own) assert.ok(response.status < 300, response.text);
      else assertLacksScope(response, scope);
    }
  }
});

test('a call that is rejected for a missing scope changes nothing', async () => {
  const protectedKey = await ada.createKey({ name: 'protected' });
  const key = await keyWith('keys:read');
  await contract.call('POST', `/v1/api-keys/${protectedKey.key.id}/revoke`, { key });
  await contract.call('PATCH', `/v1/api-keys/${protectedKey.key.id}`, { key, body: { name: 'stolen' } });
  const now = await contract.call('GET', `/v1/api-keys/${protectedKey.key.id}`, { key });
  assert.deepEqual(now.body, protectedKey.key);
});

test('a key can create keys with its own scopes only', async () => {
  const key = await keyWith('keys:write', 'keys:read');
  const create = (scopes?: string[]) =>
    contract.call('POST', '/v1/api-keys', { key, body: { name: 'child', ...(scopes && { scopes }) } });
  for (const scopes of [undefined, [], ['keys:read'], ['keys:read', 'keys:write']]) {
    const child = createdKeySchema.parse((await create(scopes)).body);
    assert.deepEqual(child.key.scopes, scopes ?? []);
  }
  const error = assertProblem(await create(['keys:read', 'keys:verify']), 'insufficient_scope');
  assert.deepEqual(error.details, [{ path: 'scopes', problem: 'must not include keys:verify' }]);
  assertLacksScope(await create(['keys:verify']), 'keys:verify');
});

test('a key created by another key names its creator, and stays active when that one is revoked', async () => {
  const parent = await ada.createKey({ name: 'parent', scopes: ['keys:write'] });
  const created = await contract.call('POST', '/v1/api-keys', {
    key: parent.apiKey,
    body: { name: 'child' },
  });
  const child = createdKeySchema.parse(created.body);
  assert.equal(child.key.createdBy, parent.key.id);
  await ada.revoke(parent.key.id);
  assert.equal((await contract.call('GET', '/v1/me', { key: child.apiKey })).status, 200);
});

test('a key with an expiry cannot create a key that outlives it', async () => {
  const expiresAt = '2090-01-01T00:00:00.000Z';
  const { apiKey } = await ada.createKey({ name: 'expiring', scopes: ['keys:write'], expiresAt });
  const create = (fields: object) =>
    contract.call('POST', '/v1/api-keys', { key: apiKey, body: { name: 'child', ...fields } });
  for (const fields of [{}, { expiresAt: null }, { expiresAt }]) {
    assert.equal(createdKeySchema.parse((await create(fields)).body).key.expiresAt, expiresAt);
  }
  const sooner = '2089-12-31T23:59:59.999Z';
  assert.equal(createdKeySchema.parse((await create({ expiresAt: sooner })).body).key.expiresAt, sooner);
  const error = assertProblem(await create({ expiresAt: '2090-01-01T00:00:00.001Z' }), 'invalid_request');
  assert.equal(error.details?.[0]?.path, 'expiresAt');
});

test('a key can revoke itself, and is rejected from then on', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'self-revoking', scopes: ['keys:write'] });
  const response = await contract.call('POST', `/v1/api-keys/${key.id}/revoke`, { key: apiKey });
  assert.equal(keySchema.parse(response.body).status, 'revoked');
  assertProblem(await contract.call('GET', '/v1/api-keys', { key: apiKey }), 'revoked_key');
});

test('if a request has a key and a session, the key decides', async () => {
  const key = await keyWith();
  assertLacksScope(await contract.call('GET', '/v1/api-keys', { key, as: ada }), 'keys:read');
});

test('an unknown scope from a newer version is shown, grants nothing, and does not invalidate the key', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'newer', scopes: ['keys:read'] });
  await runSql(server, "UPDATE api_key SET scopes = 'files:* keys:* of:tomorrow' WHERE id = ?", key.id);
  const stored = ['files:*', 'keys:*', 'of:tomorrow'];
  const shown = await ada.call('GET', `/v1/api-keys/${key.id}`);
  assert.deepEqual(keySchema.parse(shown.body).scopes, stored);
  assert.equal((await ada.call('GET', '/v1/api-keys')).status, 200);
  const me = await contract.call('GET', '/v1/me', { key: apiKey });
  assert.equal(me.status, 200, me.text);
  const verified = await contract.call('GET', '/v1/verify', { key: apiKey });
  assert.equal(verified.headers.get('x-soku-scopes'), stored.join(' '));
  assertLacksScope(await contract.call('GET', '/v1/api-keys', { key: apiKey }), 'keys:read');
  assert.equal((await ada.call('POST', `/v1/api-keys/${key.id}/revoke`)).status, 200);
});
