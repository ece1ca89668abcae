/** What a key may do to other keys: only what it was made for, and never more than it may do itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createdKeySchema, keySchema } from '@soku/contract/keys';
import { assertProblem, Contract } from '../support/contract.ts';
import { inDatabase } from '../support/in-database.ts';
import type { HttpResponse } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const contract = await Contract.of(server);
const ada = await openSession(server);
const target = await ada.makeKey({ name: 'target' });

/** Every management call, with the scope that it needs. */
const calls = [
  { method: 'GET', path: '/v1/api-keys', scope: 'keys:read' },
  { method: 'GET', path: `/v1/api-keys/${target.key.id}`, scope: 'keys:read' },
  { method: 'POST', path: '/v1/api-keys', scope: 'keys:write', body: { name: 'made by a key' } },
  { method: 'PATCH', path: `/v1/api-keys/${target.key.id}`, scope: 'keys:write', body: { name: 'target' } },
  { method: 'GET', path: `/v1/api-keys/${target.key.id}/descendants`, scope: 'keys:read' },
  { method: 'POST', path: `/v1/api-keys/${target.key.id}/revoke`, scope: 'keys:write' },
];

async function keyWith(...scopes: string[]): Promise<string> {
  return (await ada.makeKey({ name: scopes.join(' ') || 'ordinary', scopes })).apiKey;
}

function assertLacksScope(answer: HttpResponse, scope: string): void {
  const error = assertProblem(answer, 'insufficient_scope');
  assert.ok(error.message.includes(scope));
  const challenge = answer.headers.get('www-authenticate') ?? '';
  assert.match(
    challenge,
    /^Bearer realm="soku", error="insufficient_scope", error_description="[ !#-[\]-~]+", /,
  );
  assert.ok(challenge.endsWith(`, scope="${scope}"`), challenge);
}

test('an ordinary key opens the API and manages nothing', async () => {
  const key = await keyWith();
  assert.equal((await contract.call('GET', '/v1/me', { key })).status, 200);
  assert.equal((await contract.call('GET', '/v1/verify', { key })).status, 204);
  for (const { method, path, scope, ...rest } of calls) {
    assertLacksScope(await contract.call(method, path, { key, ...rest }), scope);
  }
});

test('a key that may verify manages nothing', async () => {
  const key = await keyWith('keys:verify');
  for (const { method, path, scope, ...rest } of calls) {
    assertLacksScope(await contract.call(method, path, { key, ...rest }), scope);
  }
});

test('a key with keys:read reads and cannot write, and one with keys:write writes and cannot read', async () => {
  for (const own of ['keys:read', 'keys:write']) {
    const key = await keyWith(own);
    for (const { method, path, scope, ...rest } of calls) {
      const answer = await contract.call(method, path, { key, ...rest });
      if (scope === own) assert.ok(answer.status < 300, answer.text);
      else assertLacksScope(answer, scope);
    }
  }
});

test('what was refused for its scope has changed nothing', async () => {
  const victim = await ada.makeKey({ name: 'victim' });
  const key = await keyWith('keys:read');
  await contract.call('POST', `/v1/api-keys/${victim.key.id}/revoke`, { key });
  await contract.call('PATCH', `/v1/api-keys/${victim.key.id}`, { key, body: { name: 'stolen' } });
  const now = await contract.call('GET', `/v1/api-keys/${victim.key.id}`, { key });
  assert.deepEqual(now.body, victim.key);
});

test('a key hands on what it has, and no more', async () => {
  const key = await keyWith('keys:write', 'keys:read');
  const make = (scopes?: string[]) =>
    contract.call('POST', '/v1/api-keys', { key, body: { name: 'child', ...(scopes && { scopes }) } });
  for (const scopes of [undefined, [], ['keys:read'], ['keys:read', 'keys:write']]) {
    const child = createdKeySchema.parse((await make(scopes)).body);
    assert.deepEqual(child.key.scopes, scopes ?? []);
  }
  const error = assertProblem(await make(['keys:read', 'keys:verify']), 'insufficient_scope');
  assert.deepEqual(error.details, [{ path: 'scopes', problem: 'must not include keys:verify' }]);
  assertLacksScope(await make(['keys:verify']), 'keys:verify');
});

test('a key that was made by a key tells which one, and stays when that one is revoked', async () => {
  const parent = await ada.makeKey({ name: 'parent', scopes: ['keys:write'] });
  const made = await contract.call('POST', '/v1/api-keys', { key: parent.apiKey, body: { name: 'child' } });
  const child = createdKeySchema.parse(made.body);
  assert.equal(child.key.createdBy, parent.key.id);
  await ada.revoke(parent.key.id);
  assert.equal((await contract.call('GET', '/v1/me', { key: child.apiKey })).status, 200);
});

test('a key that ends cannot make one that outlives it', async () => {
  const expiresAt = '2090-01-01T00:00:00.000Z';
  const { apiKey } = await ada.makeKey({ name: 'mortal', scopes: ['keys:write'], expiresAt });
  const make = (wish: object) =>
    contract.call('POST', '/v1/api-keys', { key: apiKey, body: { name: 'child', ...wish } });
  for (const wish of [{}, { expiresAt: null }, { expiresAt }]) {
    assert.equal(createdKeySchema.parse((await make(wish)).body).key.expiresAt, expiresAt);
  }
  const sooner = '2089-12-31T23:59:59.999Z';
  assert.equal(createdKeySchema.parse((await make({ expiresAt: sooner })).body).key.expiresAt, sooner);
  const error = assertProblem(await make({ expiresAt: '2090-01-01T00:00:00.001Z' }), 'invalid_request');
  assert.equal(error.details?.[0]?.path, 'expiresAt');
});

test('a key can revoke itself, and is refused from then on', async () => {
  const { apiKey, key } = await ada.makeKey({ name: 'suicidal', scopes: ['keys:write'] });
  const answer = await contract.call('POST', `/v1/api-keys/${key.id}/revoke`, { key: apiKey });
  assert.equal(keySchema.parse(answer.body).status, 'revoked');
  assertProblem(await contract.call('GET', '/v1/api-keys', { key: apiKey }), 'revoked_key');
});

test('with a key and a session, the key is meant', async () => {
  const key = await keyWith();
  assertLacksScope(await contract.call('GET', '/v1/api-keys', { key, as: ada }), 'keys:read');
});

test('a scope of a newer version is shown as it is, grants nothing, and keeps the key from nothing', async () => {
  const { apiKey, key } = await ada.makeKey({ name: 'newer', scopes: ['keys:read'] });
  await inDatabase(server, "UPDATE api_key SET scopes = 'files:* keys:* of:tomorrow' WHERE id = ?", key.id);
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
