/** Setting the limits of keys and workspaces: what is stored, and what a key may set (ASVS 5.0 8.2.1). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createdKeySchema, type Key, keyListSchema, keySchema } from '@soku/contract/keys';
import { workspaceSchema } from '@soku/contract/workspaces';
import { assertProblem, Contract } from '../support/contract.ts';
import type { HttpResponse } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';
import { ada as adasAccount, bob as bobsAccount } from '../support/two-accounts.ts';

const server = await sharedServer();
const contract = await Contract.of(server);
const [ada, bob] = [await openSession(server, adasAccount), await openSession(server, bobsAccount)];
const scopes = ['keys:read', 'keys:write'];

/** Invalid limits. Above 10^9 the arithmetic of a window would overflow. */
const invalidLimits = [0, -1, 1.5, 1_000_000_001, '1000', 'OFF', 'on', '', true, [], {}];

const create = (body: object, key?: string) =>
  contract.call('POST', '/v1/api-keys', { ...(key === undefined ? { as: ada } : { key }), body });
const patch = (id: string, body: object, key?: string) =>
  contract.call('PATCH', `/v1/api-keys/${id}`, { ...(key === undefined ? { as: ada } : { key }), body });
const setWorkspace = (rateLimit: unknown) =>
  contract.call('PATCH', '/v1/workspace', { as: ada, body: { rateLimit } });
const limitOf = async (id: string) =>
  keySchema.parse((await contract.call('GET', `/v1/api-keys/${id}`, { as: ada })).body).rateLimit;

function createdIn(response: HttpResponse): Key {
  assert.equal(response.status, 201, response.text);
  return createdKeySchema.strict().parse(response.body).key;
}

/** Fails unless the limit was rejected because it is higher than that of the calling key. */
function assertTooHigh(response: HttpResponse, maximum: number): void {
  const error = assertProblem(response, 'invalid_request');
  assert.deepEqual(error.details, [
    {
      path: 'rateLimit',
      problem: `must not be higher than ${maximum}, the limit of the calling key`,
    },
  ]);
}

test('every response shows the limit with which a key was created; by default it has none of its own', async () => {
  for (const rateLimit of [1, 1000, 1_000_000_000, 'off', null] as const) {
    const key = createdIn(await create({ name: 'limited', rateLimit }));
    assert.equal(key.rateLimit, rateLimit);
    assert.equal(await limitOf(key.id), rateLimit);
    const page = keyListSchema.parse((await contract.call('GET', '/v1/api-keys', { as: ada })).body);
    assert.equal(page.data.find((entry) => entry.id === key.id)?.rateLimit, rateLimit);
    const revoked = await contract.call('POST', `/v1/api-keys/${key.id}/revoke`, { as: ada });
    assert.equal(keySchema.parse(revoked.body).rateLimit, rateLimit);
  }
  assert.equal(createdIn(await create({ name: 'plain' })).rateLimit, null);
});

test('a change sets only the given fields', async () => {
  const { id } = createdIn(await create({ name: 'first', rateLimit: 7 }));
  const steps = [
    [{ name: 'second' }, 'second', 7],
    [{ rateLimit: 'off' }, 'second', 'off'],
    [{ name: 'third', rateLimit: 9 }, 'third', 9],
    [{ rateLimit: null }, 'third', null],
  ] as const;
  for (const [body, name, rateLimit] of steps) {
    const key = keySchema.parse((await patch(id, body)).body);
    assert.deepEqual([key.name, key.rateLimit], [name, rateLimit]);
    assert.equal(await limitOf(id), rateLimit);
  }
});

test('a change without fields that can be changed is rejected', async () => {
  const { id } = createdIn(await create({ name: 'x' }));
  assertProblem(await patch(id, {}), 'invalid_request');
  assertProblem(await patch(id, { environment: 'test' }), 'invalid_request');
  assertProblem(await patch(`key_${'0'.repeat(26)}`, { rateLimit: 5 }), 'not_found');
});

test('an invalid limit is rejected with its path, wherever a limit can be set', async () => {
  const { id } = createdIn(await create({ name: 'x', rateLimit: 5 }));
  for (const rateLimit of invalidLimits) {
    const responses = [
      await create({ name: 'wrong', rateLimit }),
      await patch(id, { rateLimit }),
      await setWorkspace(rateLimit),
    ];
    for (const response of responses) {
      const { details } = assertProblem(response, 'invalid_request');
      assert.deepEqual(details, [
        { path: 'rateLimit', problem: 'must be a whole number between 1 and 1000000000, or "off"' },
      ]);
    }
  }
  assert.equal(await limitOf(id), 5);
});

test('a key cannot create a key with a higher limit than its own, and uses its own by default', async () => {
  const { apiKey } = await ada.createKey({ name: 'creator', scopes, rateLimit: 1000 });
  for (const rateLimit of [1001, 1_000_000_000, 'off'])
    assertTooHigh(await create({ name: 'child', rateLimit }, apiKey), 1000);
  for (const [fields, rateLimit] of [
    [{ rateLimit: 1000 }, 1000],
    [{ rateLimit: 1 }, 1],
    [{ rateLimit: null }, 1000],
    [{}, 1000],
  ] as const) {
    assert.equal(createdIn(await create({ name: 'child', ...fields }, apiKey)).rateLimit, rateLimit);
  }
});

test('a key without its own limit can create keys up to the limit of its workspace', async () => {
  const { apiKey } = await ada.createKey({ name: 'creator', scopes });
  const generous = await ada.createKey({ name: 'generous creator', scopes, rateLimit: 5000 });
  // The deployment in this test has no limit.
  assert.equal(createdIn(await create({ name: 'child', rateLimit: 'off' }, apiKey)).rateLimit, 'off');
  assert.equal((await setWorkspace(2000)).status, 200);
  try {
    for (const rateLimit of [2001, 'off'])
      assertTooHigh(await create({ name: 'child', rateLimit }, apiKey), 2000);
    assert.equal(createdIn(await create({ name: 'child', rateLimit: 2000 }, apiKey)).rateLimit, 2000);
    assert.equal(createdIn(await create({ name: 'child' }, apiKey)).rateLimit, null);
    // A key with a higher limit than the workspace creates keys with the workspace's limit by default.
    assert.equal(createdIn(await create({ name: 'child' }, generous.apiKey)).rateLimit, null);
    assert.equal(
      createdIn(await create({ name: 'child', rateLimit: 5000 }, generous.apiKey)).rateLimit,
      5000,
    );
    assertTooHigh(await create({ name: 'child', rateLimit: 5001 }, generous.apiKey), 5000);
  } finally {
    assert.equal((await setWorkspace(null)).status, 200);
  }
});

test('a key can raise neither its own limit nor another one above its own', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'climber', scopes, rateLimit: 1000 });
  const other = await ada.createKey({ name: 'other', rateLimit: 10 });
  for (const id of [key.id, other.key.id]) {
    for (const rateLimit of [1001, 'off']) assertTooHigh(await patch(id, { rateLimit }, apiKey), 1000);
    // The limit of the workspace is higher too, because it has none here.
    assertTooHigh(await patch(id, { rateLimit: null }, apiKey), 1000);
  }
  assert.deepEqual([await limitOf(key.id), await limitOf(other.key.id)], [1000, 10]);
  assert.equal((await patch(other.key.id, { rateLimit: 1000 }, apiKey)).status, 200);
  // Nor can it change a key with a higher limit in any other way.
  const rich = await ada.createKey({ name: 'rich', rateLimit: 'off' });
  for (const body of [{ name: 'renamed' }, { rateLimit: 10 }])
    assertTooHigh(await patch(rich.key.id, body, apiKey), 1000);
  assert.equal(await limitOf(rich.key.id), 'off');
  // After it lowers its own limit, it cannot raise it again.
  assert.equal((await patch(key.id, { rateLimit: 900 }, apiKey)).status, 200);
  assertTooHigh(await patch(key.id, { rateLimit: 1000 }, apiKey), 900);
});

test('ASVS 15.4.2: if a key raises its limit while a person lowers it, the lower limit remains', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'racer', scopes, rateLimit: 1_000_000 });
  for (let round = 0; round < 10; round++) {
    assert.equal((await patch(key.id, { rateLimit: 1_000_000 })).status, 200);
    const raise = () => patch(key.id, { rateLimit: 1_000_000 }, apiKey);
    const lower = () => patch(key.id, { rateLimit: 500_000 });
    await Promise.all([raise(), raise(), lower(), raise(), raise(), raise()]);
    assert.equal(await limitOf(key.id), 500_000);
  }
});

test('the workspace shows its limit and the default, and a person can change its limit', async () => {
  const read = async (request: object = { as: ada }) =>
    workspaceSchema.strict().parse((await contract.call('GET', '/v1/workspace', request)).body);
  const before = await read();
  assert.deepEqual([before.rateLimit, before.defaultRateLimit], [null, 'off']);
  const { apiKey } = await ada.createKey({ name: 'reader', scopes: ['keys:read'] });
  for (const rateLimit of [1_000_000, 'off', null]) {
    const response = await setWorkspace(rateLimit);
    assert.deepEqual(workspaceSchema.strict().parse(response.body), { ...before, rateLimit });
    assert.deepEqual(await read(), { ...before, rateLimit });
    assert.deepEqual(await read({ key: apiKey }), { ...before, rateLimit });
  }
  const bobs = await contract.call('GET', '/v1/workspace', { as: bob });
  assert.notEqual(workspaceSchema.parse(bobs.body).id, before.id);
});

test('a body without a limit, or with other fields, changes no workspace', async () => {
  for (const body of [{}, { rateLimit: 5, name: 'x' }, { defaultRateLimit: 5 }, null]) {
    assertProblem(await contract.call('PATCH', '/v1/workspace', { as: ada, body }), 'invalid_request');
  }
});

test('no key can change its workspace, whatever its scopes', async () => {
  const all = await ada.createKey({ name: 'all', scopes: ['keys:read', 'keys:verify', 'keys:write'] });
  const none = await ada.createKey({ name: 'none' });
  const request = (method: string, key: string) =>
    contract.call(method, '/v1/workspace', {
      key,
      ...(method === 'PATCH' ? { body: { rateLimit: 'off' } } : {}),
    });
  assertProblem(await request('PATCH', all.apiKey), 'session_required');
  assertProblem(await request('PATCH', none.apiKey), 'insufficient_scope');
  assertProblem(await request('GET', none.apiKey), 'insufficient_scope');
});

test('ASVS 8.4.1: the workspace of another account is not found', async () => {
  const { id } = workspaceSchema.parse((await contract.call('GET', '/v1/workspace', { as: ada })).body);
  const fields: [string, string][] = [['X-Soku-Workspace', id]];
  assertProblem(await contract.call('GET', '/v1/workspace', { as: bob, fields }), 'not_found');
  const body = { rateLimit: 1 };
  assertProblem(await contract.call('PATCH', '/v1/workspace', { as: bob, fields, body }), 'not_found');
  const after = await contract.call('GET', '/v1/workspace', { as: ada });
  assert.equal(workspaceSchema.parse(after.body).rateLimit, null);
});
