/** Keys are revoked with a reason, and several at once. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditPageSchema } from '@soku/contract/audit';
import { createdKeySchema, keyListSchema, keySchema } from '@soku/contract/keys';
import { maxRevokedKeys, revokedKeySchema, revokedKeysSchema } from '@soku/contract/revocations';
import { assertProblem, Contract } from '../support/contract.ts';
import { bearer, call } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';
import { ada as adasAccount, bob as bobsAccount } from '../support/two-accounts.ts';

type CreatedKey = ReturnType<typeof createdKeySchema.parse>;

const server = await sharedServer();
const contract = await Contract.of(server);
const [ada, bob] = [await openSession(server, adasAccount), await openSession(server, bobsAccount)];
const noKey = 'key_00000000000000000000000000';

const create = (count: number): Promise<CreatedKey[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => ada.createKey({ name: `bulk ${i}` })));
const idsOf = (keys: readonly CreatedKey[]) => keys.map(({ key }) => key.id);
const use = async ({ apiKey }: CreatedKey) =>
  (await call(`${server.url}/v1/verify`, { headers: bearer(apiKey) })).status;

async function revokeMany(body: unknown, caller: { as?: typeof ada; key?: string } = { as: ada }) {
  return contract.call('POST', '/v1/api-keys/revoke', { ...caller, body });
}

async function eventsOf({ key }: CreatedKey) {
  const { body } = await contract.call('GET', `/v1/audit?targetId=${key.id}&action=key.revoked`, { as: ada });
  return auditPageSchema.parse(body).data;
}

test('the reason of a revoke is stored, shown and recorded, and a repeated call does not change it', async () => {
  const [key] = await create(1);
  assert.ok(key);
  const path = `/v1/api-keys/${key.key.id}/revoke`;
  for (const body of [{ reason: 'leaked' }, { reason: 'unused' }, {}, undefined]) {
    const response = await contract.call('POST', path, { as: ada, ...(body && { body }) });
    assert.equal(revokedKeySchema.parse(response.body).revokedReason, 'leaked');
  }
  const shown = await contract.call('GET', `/v1/api-keys/${key.key.id}`, { as: ada });
  assert.equal(keySchema.parse(shown.body).revokedReason, 'leaked');
  const events = await eventsOf(key);
  assert.deepEqual(
    events.map(({ details }) => details),
    [{ reason: 'leaked' }],
  );
});

test('a key that was revoked without a reason has none, and gets none later', async () => {
  const [key] = await create(1);
  assert.ok(key);
  assert.equal((await ada.revoke(key.key.id)).revokedReason, null);
  const path = `/v1/api-keys/${key.key.id}/revoke`;
  const again = await contract.call('POST', path, { as: ada, body: { reason: 'other' } });
  assert.equal(revokedKeySchema.parse(again.body).revokedReason, null);
});

test('a reason must be one of the list', async () => {
  const [key] = await create(1);
  assert.ok(key);
  for (const reason of ['because', '', 'Leaked', null, 1, ['leaked'], 'journal']) {
    for (const [path, body] of [
      [`/v1/api-keys/${key.key.id}/revoke`, { reason }],
      ['/v1/api-keys/revoke', { ids: [key.key.id], reason }],
    ] as const) {
      const error = assertProblem(await contract.call('POST', path, { as: ada, body }), 'invalid_request');
      assert.equal(error.details?.[0]?.path, 'reason');
    }
  }
  assert.equal(await use(key), 204);
});

test('descendants are revoked for the same reason', async () => {
  const root = await ada.createKey({ name: 'root', scopes: ['keys:write'] });
  const child = createdKeySchema.parse(
    (await contract.call('POST', '/v1/api-keys', { key: root.apiKey, body: { name: 'child' } })).body,
  );
  const body = { reason: 'person_left', descendants: true };
  await contract.call('POST', `/v1/api-keys/${root.key.id}/revoke`, { as: ada, body });
  const shown = await contract.call('GET', `/v1/api-keys/${child.key.id}`, { as: ada });
  assert.equal(keySchema.parse(shown.body).revokedReason, 'person_left');
  assert.deepEqual((await eventsOf(child))[0]?.details, {
    reason: 'person_left',
    descendantOf: root.key.id,
  });
});

test('several keys are revoked at once, in any status, with one event each', async () => {
  const keys = await create(4);
  const [first, , third] = keys;
  assert.ok(first && third);
  await ada.revoke(first.key.id);
  await contract.call('PATCH', `/v1/api-keys/${third.key.id}`, { as: ada, body: { disabled: true } });
  const ids = idsOf(keys);

  const response = await revokeMany({ ids, reason: 'replaced' });

  assert.equal(response.status, 200, response.text);
  const result = revokedKeysSchema.parse(response.body);
  assert.deepEqual([result.revoked, result.alreadyRevoked], [ids.slice(1), [first.key.id]]);
  assert.equal(result.revocation.effective, true);
  for (const { apiKey } of keys)
    assertProblem(await contract.call('GET', '/v1/me', { key: apiKey }), 'revoked_key');
  const shown = keyListSchema.parse(
    (await contract.call('GET', '/v1/api-keys?status=revoked', { as: ada })).body,
  );
  const reasons = ids.map((id) => shown.data.find((key) => key.id === id)?.revokedReason);
  assert.deepEqual(reasons, [null, 'replaced', 'replaced', 'replaced']);
  assert.deepEqual((await eventsOf(third))[0]?.details, { reason: 'replaced' });

  const again = revokedKeysSchema.parse((await revokeMany({ ids, reason: 'leaked' })).body);
  assert.deepEqual([again.revoked, again.alreadyRevoked], [[], ids]);
  assert.equal((await eventsOf(third)).length, 1);
});

test('a call with an id that the workspace does not have is rejected as a whole, and the error names the id', async () => {
  const keys = await create(2);
  const foreign = (await bob.createKey({ name: "bob's" })).key.id;
  const ids = [foreign, ...idsOf(keys), noKey];

  const error = assertProblem(await revokeMany({ ids }), 'not_found');

  assert.deepEqual(
    error.details?.map(({ path, keyId }) => [path, keyId]),
    [
      ['ids.0', foreign],
      ['ids.3', noKey],
    ],
  );
  for (const key of keys) assert.equal(await use(key), 204);
});

test('a call needs ids, each once, and at most a thousand', async () => {
  const [key] = await create(1);
  assert.ok(key);
  const many = Array.from({ length: maxRevokedKeys + 1 }, (_, i) => `key_${String(i).padStart(26, '0')}`);
  for (const body of [
    {},
    { ids: [] },
    { ids: [key.key.id, key.key.id] },
    { ids: many },
    { ids: key.key.id },
    { ids: [key.apiKey] },
    { ids: [key.key.id], descendants: true },
    [],
  ]) {
    assertProblem(await revokeMany(body), 'invalid_request');
  }
  assert.equal(await use(key), 204);
  const error = assertProblem(await revokeMany({ ids: many.slice(1) }), 'not_found');
  assert.equal(error.details?.length, maxRevokedKeys);
});

test('a key needs keys:write to revoke others, and can revoke itself with them', async () => {
  const [reader, writer, ...others] = [
    await ada.createKey({ name: 'reader', scopes: ['keys:read'] }),
    await ada.createKey({ name: 'writer', scopes: ['keys:write'] }),
    ...(await create(2)),
  ];
  assert.ok(reader && writer);
  const ids = idsOf([writer, ...others]);
  assertProblem(await revokeMany({ ids }, { key: reader.apiKey }), 'insufficient_scope');
  const foreign = await bob.createKey({ name: "bob's writer", scopes: ['keys:write'] });
  assertProblem(await revokeMany({ ids }, { key: foreign.apiKey }), 'not_found');
  const result = revokedKeysSchema.parse((await revokeMany({ ids }, { key: writer.apiKey })).body);
  assert.deepEqual(result.revoked, ids);
  assertProblem(await revokeMany({ ids }, { key: writer.apiKey }), 'revoked_key');
});

test('concurrent calls with the same keys in other orders all succeed, and each key is revoked once', async () => {
  const keys = await create(40);
  const ids = idsOf(keys);
  const single = ids[20] ?? '';
  const responses = await Promise.all([
    ...Array.from({ length: 8 }, (_, i) => revokeMany({ ids: i % 2 === 0 ? ids : ids.toReversed() })),
    ada.revoke(single).then(() => undefined),
  ]);
  const results = responses.flatMap((response) =>
    response === undefined ? [] : [revokedKeysSchema.parse(response.body)],
  );
  const revoked = results.flatMap((result) => result.revoked);
  assert.ok(revoked.length >= ids.length - 1);
  assert.equal(new Set(revoked).size, revoked.length);
  for (const key of keys) assert.equal(await use(key), 401);
});

test('a key that is revoked with others creates no key after the call has returned', async () => {
  const creator = await ada.createKey({ name: 'creator', scopes: ['keys:write'] });
  const calls = Array.from({ length: 10 }, (_, i) =>
    contract.call('POST', '/v1/api-keys', { key: creator.apiKey, body: { name: `late ${i}` } }),
  );
  const revoked = revokeMany({ ids: [creator.key.id] });
  const [created] = [await Promise.all(calls), await revoked];
  for (const response of created) {
    if (response.status !== 201) assertProblem(response, 'revoked_key');
  }
  const late = await contract.call('POST', '/v1/api-keys', { key: creator.apiKey, body: { name: 'late' } });
  assertProblem(late, 'revoked_key');
});
