/** GET /v1/verify, as a proxy calls it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertProblem, Contract } from '../support/contract.ts';
import type { Fields } from '../support/http.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const contract = await Contract.of(server);
const ada = await openSession(server);
const { apiKey, key } = await ada.createKey({ name: 'proxy', scopes: ['keys:write', 'keys:read'] });

const verify = (fields: Fields, query = '') => contract.call('GET', `/v1/verify${query}`, { fields });
const authorization = ['Authorization', `Bearer ${apiKey}`] as const;

test('a valid key gets its identity in headers, and no body', async () => {
  const response = await verify([authorization]);
  assert.equal(response.status, 204);
  assert.equal(response.text, '');
  assert.equal(response.headers.get('x-soku-key-id'), key.id);
  assert.match(response.headers.get('x-soku-workspace-id') ?? '', /^ws_\w{26}$/);
  assert.equal(response.headers.get('x-soku-key-name'), 'proxy');
  assert.equal(response.headers.get('x-soku-scopes'), 'keys:read keys:write');
  assert.equal(response.headers.get('x-soku-environment'), 'live');
  // Sent even if it is empty, so that it replaces a field that the client sent.
  assert.equal(response.headers.get('x-soku-external-id'), '');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal(response.headers.get('x-soku-status'), null);
  assert.equal(response.headers.get('x-soku-error'), null);
});

test('the name and the external ID of the key are percent-encoded in their headers', async () => {
  const name = 'Grüße, 100 % "sûr": 日本 🚀;=,\\';
  const created = await ada.createKey({ name, externalId: name });
  const response = await verify([['Authorization', `Bearer ${created.apiKey}`]]);
  for (const field of ['x-soku-key-name', 'x-soku-external-id']) {
    const encoded = response.headers.get(field) ?? '';
    assert.match(encoded, /^[\w%.~!*'()-]+$/, 'no characters with a special meaning in a list or a log');
    assert.equal(decodeURIComponent(encoded), name);
  }
  assert.equal(response.headers.get('x-soku-scopes'), '');
});

test('a renamed key has its new name from the next call on', async () => {
  const created = await ada.createKey({ name: 'before' });
  const fields: Fields = [['Authorization', `Bearer ${created.apiKey}`]];
  assert.equal((await verify(fields)).headers.get('x-soku-key-name'), 'before');
  await ada.call('PATCH', `/v1/api-keys/${created.key.id}`, { name: 'after' });
  assert.equal((await verify(fields)).headers.get('x-soku-key-name'), 'after');
});

test("the client's own query parameters are ignored", async () => {
  for (const query of ['?page=2', '?limit=x&status=nonsense', '?a[]=1&&&=', '?%', '?__proto__=1']) {
    assert.equal((await verify([authorization], query)).status, 204, query);
  }
});

test('a key in the original query is detected, as nginx, ingress-nginx, Caddy and Traefik report it', async () => {
  for (const header of ['X-Original-URI', 'X-Original-URL', 'X-Forwarded-Uri']) {
    for (const target of [
      `/orders?api_key=${apiKey}`,
      `/orders?page=1&token=${apiKey}#end`,
      `https://api.example.com/orders?key=${apiKey}`,
    ]) {
      assertProblem(await verify([[header, target]]), 'key_in_query');
    }
    const plain = await verify([[header, '/orders?page=1']], `?api_key=${apiKey}`);
    assertProblem(plain, 'missing_authorization');
  }
});

test('a client that adds a field cannot hide the original request that the proxy reports', async () => {
  const other = ['X-Original-URI', '/plain'] as const;
  for (const header of ['X-Original-URL', 'X-Forwarded-Uri']) {
    assertProblem(await verify([other, [header, `/orders?token=${apiKey}`]]), 'key_in_query');
  }
});

test('the error for a CORS preflight explains that keys must not be used in browsers', async () => {
  const preflight = ['Access-Control-Request-Method', 'GET'] as const;
  for (const header of ['X-Original-Method', 'X-Forwarded-Method']) {
    const { message } = assertProblem(
      await verify([preflight, [header, 'OPTIONS']]),
      'missing_authorization',
    );
    assert.match(message, /CORS preflight.*browser/);
  }
  const plain = assertProblem(
    await verify([preflight, ['X-Original-Method', 'GET']]),
    'missing_authorization',
  );
  assert.doesNotMatch(plain.message, /preflight/);
});

test('the original URL is checked only if the request has no Authorization header', async () => {
  assert.equal((await verify([authorization, ['X-Original-URI', `/?key=${apiKey}`]])).status, 204);
});

test('any form of original URL gets a response', async () => {
  for (const target of [
    '',
    '?',
    '%',
    '//',
    'http://[',
    '*',
    '?key',
    '?key=%',
    '?key=%zz',
    `/?${'&'.repeat(4000)}`,
  ]) {
    assertProblem(await verify([['X-Original-URI', target]]), 'missing_authorization');
  }
});

test('other methods of the original request make no difference', async () => {
  for (const method of ['GET', 'DELETE', 'BREW']) {
    assert.equal((await verify([authorization, ['X-Original-Method', method]])).status, 204);
  }
});

test('a client cannot fake the identity headers', async () => {
  const response = await verify([authorization, ['X-Soku-Key-Id', 'key_of_another_caller']]);
  assert.equal(response.headers.get('x-soku-key-id'), key.id);
});
