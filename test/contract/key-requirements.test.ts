/** What a verification requires of a key, besides being valid: scopes, an environment, a workspace. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meSchema, verificationSchema } from '@soku/contract/verification';
import { generateKey } from '@soku/key';
import { assertProblem, Contract } from '../support/contract.ts';
import { callWithFields, type Fields } from '../support/http.ts';
import type { HttpResponse } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { sharedServer, testKeysEnv } from '../support/shared-server.ts';
import { ada as adasAccount, bob as bobsAccount } from '../support/two-accounts.ts';

const server = await sharedServer(testKeysEnv);
const contract = await Contract.of(server);
const [ada, bob] = [await openSession(server, adasAccount), await openSession(server, bobsAccount)];
const names = ['files:read', 'files:write', 'files:images:read', 'orders:read'];
await bob.call('PUT', '/v1/scopes', { scopes: names.map((name) => ({ name })) });
const holding = async (...scopes: string[]) =>
  (await bob.createKey({ name: `holds ${scopes}`, scopes, rateLimit: 'off' })).apiKey;
const files = await holding('files:read', 'files:write', 'keys:read');
const everyFile = await holding('files:*');
const everything = await holding('*');
const nothing = await holding();
const foreign = await ada.createKey({ name: "ada's" });
const { workspace } = meSchema.parse((await contract.call('GET', '/v1/me', { key: files })).body);
const { apiKey: caller } = await bob.createKey({ name: 'back end', scopes: ['keys:verify'] });

const verify = (key: string, query: string, fields: Fields = []) =>
  contract.call('GET', `/v1/verify${query}`, { key, fields });
const below = (key: string, query: string, fields: Fields = []) =>
  callWithFields(`${server.url}/v1/verify/orders${query}`, {
    method: 'POST',
    fields: [['Authorization', `Bearer ${key}`], ...fields],
  });
const requiring = (...values: string[]): Fields => values.map((value) => ['X-Soku-Require-Scopes', value]);

function assertLacks(response: HttpResponse, scope: string): void {
  const { message } = assertProblem(response, 'insufficient_scope');
  assert.ok(message.includes(scope), message);
  const challenge = response.headers.get('www-authenticate') ?? '';
  assert.match(challenge, /^Bearer realm="soku", error="insufficient_scope", /);
  assert.ok(challenge.endsWith(`, scope="${scope}"`), challenge);
  assert.equal(response.headers.get('x-soku-status'), '403');
}

/** What no key can have is not repeated, because it may come from the client. */
function assertImpossible(response: HttpResponse, code: 'insufficient_scope' | 'wrong_environment'): void {
  const { message } = assertProblem(response, code);
  assert.match(message, /no key is accepted.*operator/);
  assert.doesNotMatch(response.headers.get('www-authenticate') ?? '', /scope="/);
  assert.doesNotMatch(`${response.text} ${JSON.stringify([...response.headers])}`, /evil/i);
}

/** The same scopes as the parameters of a query, in one header field, and in several. */
function forms(...scopes: string[]): [query: string, fields: Fields][] {
  const [first = '', ...rest] = scopes;
  return [
    [`?${scopes.map((scope) => `scope=${scope}`).join('&')}`, []],
    [`?page=2&scope=${scopes.join('%20')}&limit`, []],
    [`?sc%6fpe=${scopes.join('+')}`, []],
    ['', requiring(scopes.join(' '))],
    ['', requiring(scopes.join(', '))],
    ['', requiring(...scopes)],
    ['', [['x-SOKU-require-SCOPES', scopes.join('  ')]]],
    [`?scope=${first}`, rest.length === 0 ? [] : requiring(rest.join(' '))],
  ];
}

test('a key needs all scopes that a proxy requires, in the query and in the header', async () => {
  for (const [query, fields] of forms('files:read', 'files:write')) {
    for (const key of [files, everyFile, everything]) {
      assert.equal((await verify(key, query, fields)).status, 204, query);
    }
    assertLacks(await verify(nothing, query, fields), 'files:read');
  }
  for (const [query, fields] of forms('files:read', 'orders:read')) {
    assert.equal((await verify(everything, query, fields)).status, 204, query);
    for (const key of [files, everyFile]) assertLacks(await verify(key, query, fields), 'orders:read');
  }
});

test('a wildcard covers what is below it, and never the scopes for managing keys', async () => {
  const cases: [string, boolean, boolean][] = [
    ['files:images:read', true, true],
    ['files:new', true, true],
    ['files', false, true],
    ['filesystem:read', false, true],
    ['keys:read', false, false],
    ['keys:anything', false, false],
    ['audit:read', false, false],
  ];
  for (const [scope, byFiles, byAll] of cases) {
    assert.equal((await verify(everyFile, `?scope=${scope}`)).status, byFiles ? 204 : 403, scope);
    assert.equal((await verify(everything, `?scope=${scope}`)).status, byAll ? 204 : 403, scope);
  }
  assert.equal((await verify(files, '?scope=keys:read')).status, 204);
});

test('a scope that is not the name of a scope is required of no key, and is not repeated', async () => {
  const invalid = [
    '',
    '*',
    'files:*',
    'Evil',
    'evil%22',
    'a:',
    'evil%0d%0aX-Evil:1',
    '%e2%82',
    'evil\\',
    'x'.repeat(65),
  ];
  for (const scope of invalid) {
    assertImpossible(await verify(everything, `?scope=files:read&scope=${scope}`), 'insufficient_scope');
  }
  for (const scopes of [
    '',
    ' ',
    '*',
    'files:*',
    'Evil',
    'files:read "evil"',
    'evil\xe9',
    'a;b',
    ',',
    'files:read,',
  ]) {
    assertImpossible(await verify(everything, '', requiring(scopes)), 'insufficient_scope');
    assertImpossible(await below(everything, '', requiring(scopes)), 'insufficient_scope');
  }
  assertImpossible(await verify(everything, '?scope'), 'insufficient_scope');
  // The key decides first.
  assertProblem(await verify(generateKey(), '?scope=Evil'), 'unknown_key');
});

test('many scopes are rejected before they are compared', async () => {
  const names = Array.from({ length: 101 }, (_, i) => `s${i}`);
  assert.equal((await verify(everything, '', requiring(names.slice(1).join(' ')))).status, 204);
  assertImpossible(await verify(everything, '', requiring(names.join(' '))), 'insufficient_scope');
  assertImpossible(await verify(everything, `?${'scope=a&'.repeat(500)}`), 'insufficient_scope');
});

test('under /v1/verify/ the query belongs to the client, and the header does not', async () => {
  assert.equal((await below(files, '?scope=orders:read&environment=test&workspace=x')).status, 200);
  for (const query of ['', '?scope=orders:read&environment=test']) {
    assert.equal((await below(files, query, requiring('files:read'))).status, 200);
  }
  assertLacks(await below(files, '?scope=files:read', requiring('files:read orders:read')), 'orders:read');
});

test('every form of the target has the same query', async () => {
  for (const target of [
    '/v1/verify?scope=orders:read',
    '/v1/verif%79?scope=orders:read',
    '/v1/verify?#&scope=orders:read',
  ]) {
    const response = await callWithFields(`${server.url}${target}`, {
      fields: [['Authorization', `Bearer ${files}`]],
    });
    assertLacks(response, 'orders:read');
  }
});

test('other parameters and other fields are ignored', async () => {
  for (const query of [
    '?scopes=orders:read',
    '?Scope=orders:read',
    '?scope[]=a',
    '?__proto__=1&constructor=2',
  ]) {
    assert.equal((await verify(files, query)).status, 204, query);
  }
  const fields: Fields = [
    ['X_Soku_Require_Scopes', 'orders:read'],
    ['X-Soku-Scopes', 'orders:read'],
    ['X-Other-Header-Of-21', 'orders:read'],
  ];
  assert.equal((await verify(files, '', fields)).status, 204);
});

test('a proxy can require one workspace; keys of others are unknown', async () => {
  assert.equal((await verify(files, `?workspace=${workspace.id}`)).status, 204);
  assertProblem(await verify(foreign.apiKey, `?workspace=${workspace.id}`), 'unknown_key');
  for (const query of [
    '?workspace=',
    '?workspace',
    '?workspace=ws_evil',
    `?workspace=${workspace.id}&workspace=`,
  ]) {
    const response = await verify(files, query);
    assertProblem(response, 'unknown_key');
    assert.ok(!response.text.includes('evil'));
  }
  assert.equal((await verify(files, `?workspace=${workspace.id}&workspace=${workspace.id}`)).status, 204);
});

test('a proxy can require one environment', async () => {
  assert.equal((await verify(files, '?environment=live')).status, 204);
  assert.match(
    assertProblem(await verify(files, '?environment=test'), 'wrong_environment').message,
    /a live key/,
  );
  for (const query of ['=', '', '=Evil', '=any', '=live&environment=test', '=live&environment=']) {
    assertImpossible(await verify(files, `?environment${query}`), 'wrong_environment');
  }
});

test('a rejection for a scope uses no quota, and is counted for the key', async () => {
  const { apiKey, key } = await bob.createKey({ name: 'counted', rateLimit: 1 });
  for (let i = 0; i < 3; i++) assertLacks(await verify(apiKey, '?scope=orders:read'), 'orders:read');
  assert.equal((await verify(apiKey, '')).status, 204);
  const usage = await bob.call('GET', `/v1/api-keys/${key.id}/usage`);
  assert.match(usage.text, /insufficient_scope/);
});

test('POST /v1/verify takes the same requirements, in the body or the query', async () => {
  const ask = (query: string, body: object) =>
    contract.call('POST', `/v1/verify${query}`, { key: caller, body });
  const codeOf = async (apiKey: string, query: string, body: object = {}) =>
    verificationSchema.parse((await ask(query, { apiKey, ...body })).body).code;
  assert.equal(await codeOf(files, '', { scopes: ['files:read', 'keys:read'] }), 'valid');
  assert.equal(await codeOf(files, '', { scopes: ['files:read', 'unheard:of'] }), 'insufficient_scope');
  assert.equal(await codeOf(files, '?scope=orders:read', { scopes: ['files:read'] }), 'insufficient_scope');
  assert.equal(await codeOf(files, '?scope=files:write&scope=files:read&page=1'), 'valid');
  assert.equal(await codeOf(everyFile, '?scope=files:read', { scopes: ['keys:read'] }), 'insufficient_scope');
  assert.equal(await codeOf(files, '?environment=live'), 'valid');
  assert.equal(await codeOf(files, '?environment=test'), 'wrong_environment');
  assert.equal(await codeOf(files, `?workspace=${workspace.id}`), 'valid');
  assert.equal(await codeOf(foreign.apiKey, `?workspace=${workspace.id}`), 'unknown_key');
  for (const [query, path] of [
    ['?scope=Evil', 'scope'],
    ['?scope=', 'scope'],
    ['?environment=any', 'environment'],
    ['?environment=live&environment=test', 'environment'],
  ] as const) {
    const error = assertProblem(await ask(query, { apiKey: files }), 'invalid_request');
    assert.ok(error.details?.[0]?.path.startsWith(path), error.message);
  }
});
