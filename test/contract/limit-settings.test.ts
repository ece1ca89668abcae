/** The limits that keys and workspaces are given: what is stored, and what a key may hand out (ASVS 5.0 8.2.1). */
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

/** Wrong as a limit. What is above 10^9 would not fit into the arithmetic of a window. */
const wrongLimits = [0, -1, 1.5, 1_000_000_001, '1000', 'OFF', 'on', '', true, [], {}];

const make = (body: object, key?: string) =>
  contract.call('POST', '/v1/api-keys', { ...(key === undefined ? { as: ada } : { key }), body });
const patch = (id: string, body: object, key?: string) =>
  contract.call('PATCH', `/v1/api-keys/${id}`, { ...(key === undefined ? { as: ada } : { key }), body });
const setWorkspace = (rateLimit: unknown) =>
  contract.call('PATCH', '/v1/workspace', { as: ada, body: { rateLimit } });
const limitOf = async (id: string) =>
  keySchema.parse((await contract.call('GET', `/v1/api-keys/${id}`, { as: ada })).body).rateLimit;

function made(answer: HttpResponse): Key {
  assert.equal(answer.status, 201, answer.text);
  return createdKeySchema.strict().parse(answer.body).key;
}

/** Fails unless the limit was refused for being higher than that of the key that asked. */
function assertTooHigh(answer: HttpResponse, most: number): void {
  const error = assertProblem(answer, 'invalid_request');
  assert.deepEqual(error.details, [
    {
      path: 'rateLimit',
      problem: `must not be higher than ${most}, the limit of the calling key`,
    },
  ]);
}

test('a key has the limit that it was made with, in every answer; by default that of its workspace', async () => {
  for (const rateLimit of [1, 1000, 1_000_000_000, 'off', null] as const) {
    const key = made(await make({ name: 'limited', rateLimit }));
    assert.equal(key.rateLimit, rateLimit);
    assert.equal(await limitOf(key.id), rateLimit);
    const page = keyListSchema.parse((await contract.call('GET', '/v1/api-keys', { as: ada })).body);
    assert.equal(page.data.find((entry) => entry.id === key.id)?.rateLimit, rateLimit);
    const revoked = await contract.call('POST', `/v1/api-keys/${key.id}/revoke`, { as: ada });
    assert.equal(keySchema.parse(revoked.body).rateLimit, rateLimit);
  }
  assert.equal(made(await make({ name: 'plain' })).rateLimit, null);
});

test('a change sets what it names, and leaves the rest', async () => {
  const { id } = made(await make({ name: 'first', rateLimit: 7 }));
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

test('a change of nothing is refused', async () => {
  const { id } = made(await make({ name: 'x' }));
  assertProblem(await patch(id, {}), 'invalid_request');
  assertProblem(await patch(id, { scopes: [] }), 'invalid_request');
  assertProblem(await patch(`key_${'0'.repeat(26)}`, { rateLimit: 5 }), 'not_found');
});

test('what is no limit is refused by its path, wherever a limit is set', async () => {
  const { id } = made(await make({ name: 'x', rateLimit: 5 }));
  for (const rateLimit of wrongLimits) {
    const answers = [
      await make({ name: 'wrong', rateLimit }),
      await patch(id, { rateLimit }),
      await setWorkspace(rateLimit),
    ];
    for (const answer of answers) {
      const { details } = assertProblem(answer, 'invalid_request');
      assert.deepEqual(details, [
        { path: 'rateLimit', problem: 'must be a whole number between 1 and 1000000000, or "off"' },
      ]);
    }
  }
  assert.equal(await limitOf(id), 5);
});

test('a key makes no key with a higher limit than its own, and hands its own on', async () => {
  const { apiKey } = await ada.makeKey({ name: 'maker', scopes, rateLimit: 1000 });
  for (const rateLimit of [1001, 1_000_000_000, 'off'])
    assertTooHigh(await make({ name: 'child', rateLimit }, apiKey), 1000);
  for (const [wish, rateLimit] of [
    [{ rateLimit: 1000 }, 1000],
    [{ rateLimit: 1 }, 1],
    [{ rateLimit: null }, 1000],
    [{}, 1000],
  ] as const) {
    assert.equal(made(await make({ name: 'child', ...wish }, apiKey)).rateLimit, rateLimit);
  }
});

test('a key without a limit of its own may hand out what its workspace has', async () => {
  const { apiKey } = await ada.makeKey({ name: 'maker', scopes });
  const generous = await ada.makeKey({ name: 'generous maker', scopes, rateLimit: 5000 });
  // The deployment of this test has no limit.
  assert.equal(made(await make({ name: 'child', rateLimit: 'off' }, apiKey)).rateLimit, 'off');
  assert.equal((await setWorkspace(2000)).status, 200);
  try {
    for (const rateLimit of [2001, 'off'])
      assertTooHigh(await make({ name: 'child', rateLimit }, apiKey), 2000);
    assert.equal(made(await make({ name: 'child', rateLimit: 2000 }, apiKey)).rateLimit, 2000);
    assert.equal(made(await make({ name: 'child' }, apiKey)).rateLimit, null);
    // Whoever has more than the workspace hands on the workspace's when nothing is asked for.
    assert.equal(made(await make({ name: 'child' }, generous.apiKey)).rateLimit, null);
    assert.equal(made(await make({ name: 'child', rateLimit: 5000 }, generous.apiKey)).rateLimit, 5000);
    assertTooHigh(await make({ name: 'child', rateLimit: 5001 }, generous.apiKey), 5000);
  } finally {
    assert.equal((await setWorkspace(null)).status, 200);
  }
});

test('a key raises neither its own limit nor that of another above its own', async () => {
  const { apiKey, key } = await ada.makeKey({ name: 'climber', scopes, rateLimit: 1000 });
  const other = await ada.makeKey({ name: 'other', rateLimit: 10 });
  for (const id of [key.id, other.key.id]) {
    for (const rateLimit of [1001, 'off']) assertTooHigh(await patch(id, { rateLimit }, apiKey), 1000);
    // The limit of the workspace is higher, too: here there is none.
    assertTooHigh(await patch(id, { rateLimit: null }, apiKey), 1000);
  }
  assert.deepEqual([await limitOf(key.id), await limitOf(other.key.id)], [1000, 10]);
  assert.equal((await patch(other.key.id, { rateLimit: 1000 }, apiKey)).status, 200);
  // A name can be changed whatever the limit of the key that has it.
  const rich = await ada.makeKey({ name: 'rich', rateLimit: 'off' });
  assert.equal((await patch(rich.key.id, { name: 'renamed' }, apiKey)).status, 200);
  assert.equal(await limitOf(rich.key.id), 'off');
  // What it gave up it cannot take again.
  assert.equal((await patch(key.id, { rateLimit: 900 }, apiKey)).status, 200);
  assertTooHigh(await patch(key.id, { rateLimit: 1000 }, apiKey), 900);
});

test('ASVS 15.4.2: a key that raises its limit while a person lowers it stays low', async () => {
  const { apiKey, key } = await ada.makeKey({ name: 'racer', scopes, rateLimit: 1_000_000 });
  for (let round = 0; round < 10; round++) {
    assert.equal((await patch(key.id, { rateLimit: 1_000_000 })).status, 200);
    const raise = () => patch(key.id, { rateLimit: 1_000_000 }, apiKey);
    const lower = () => patch(key.id, { rateLimit: 500_000 });
    await Promise.all([raise(), raise(), lower(), raise(), raise(), raise()]);
    assert.equal(await limitOf(key.id), 500_000);
  }
});

test('the workspace tells its limit and the default, and a person changes it', async () => {
  const read = async (request: object = { as: ada }) =>
    workspaceSchema.strict().parse((await contract.call('GET', '/v1/workspace', request)).body);
  const before = await read();
  assert.deepEqual([before.rateLimit, before.defaultRateLimit], [null, 'off']);
  const { apiKey } = await ada.makeKey({ name: 'reader', scopes: ['keys:read'] });
  for (const rateLimit of [1_000_000, 'off', null]) {
    const answer = await setWorkspace(rateLimit);
    assert.deepEqual(workspaceSchema.strict().parse(answer.body), { ...before, rateLimit });
    assert.deepEqual(await read(), { ...before, rateLimit });
    assert.deepEqual(await read({ key: apiKey }), { ...before, rateLimit });
  }
  const bobs = await contract.call('GET', '/v1/workspace', { as: bob });
  assert.notEqual(workspaceSchema.parse(bobs.body).id, before.id);
});

test('a body that names no limit changes no workspace', async () => {
  for (const body of [{}, { rateLimit: 5, name: 'x' }, { defaultRateLimit: 5 }, null]) {
    assertProblem(await contract.call('PATCH', '/v1/workspace', { as: ada, body }), 'invalid_request');
  }
});

test('no key changes its workspace, whatever its scopes', async () => {
  const all = await ada.makeKey({ name: 'all', scopes: ['keys:read', 'keys:verify', 'keys:write'] });
  const none = await ada.makeKey({ name: 'none' });
  const ask = (method: string, key: string) =>
    contract.call(method, '/v1/workspace', {
      key,
      ...(method === 'PATCH' ? { body: { rateLimit: 'off' } } : {}),
    });
  assertProblem(await ask('PATCH', all.apiKey), 'session_required');
  assertProblem(await ask('PATCH', none.apiKey), 'insufficient_scope');
  assertProblem(await ask('GET', none.apiKey), 'insufficient_scope');
});

test('ASVS 8.4.1: the workspace of somebody else does not exist', async () => {
  const { id } = workspaceSchema.parse((await contract.call('GET', '/v1/workspace', { as: ada })).body);
  const fields: [string, string][] = [['X-Soku-Workspace', id]];
  assertProblem(await contract.call('GET', '/v1/workspace', { as: bob, fields }), 'not_found');
  const body = { rateLimit: 1 };
  assertProblem(await contract.call('PATCH', '/v1/workspace', { as: bob, fields, body }), 'not_found');
  const after = await contract.call('GET', '/v1/workspace', { as: ada });
  assert.equal(workspaceSchema.parse(after.body).rateLimit, null);
});
