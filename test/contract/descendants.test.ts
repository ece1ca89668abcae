/** A key can be revoked together with all keys that descend from it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createdKeySchema, keyChangeSchema, keySchema } from '@soku/contract/keys';
import { descendantsSchema, keyRevocationSchema, revokedKeySchema } from '@soku/contract/revocations';
import { assertProblem, Contract } from '../support/contract.ts';
import { withoutUse } from '../support/key.ts';
import { bearer, call } from '../support/person.ts';
import { runSql } from '../support/run-sql.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';
import { ada as adasAccount, bob as bobsAccount } from '../support/two-accounts.ts';

type CreatedKey = ReturnType<typeof createdKeySchema.parse>;

const server = await sharedServer();
const contract = await Contract.of(server);
const [ada, bob] = [await openSession(server, adasAccount), await openSession(server, bobsAccount)];
const scopes = ['keys:read', 'keys:write'];

async function childOf(parent: CreatedKey, name: string): Promise<CreatedKey> {
  const response = await contract.call('POST', '/v1/api-keys', {
    key: parent.apiKey,
    body: { name, scopes },
  });
  assert.equal(response.status, 201, response.text);
  return createdKeySchema.parse(response.body);
}

const use = async ({ apiKey }: CreatedKey) =>
  (await call(`${server.url}/v1/verify`, { headers: bearer(apiKey) })).status;
const isRevoked = async ({ apiKey }: CreatedKey) =>
  assertProblem(await contract.call('GET', '/v1/me', { key: apiKey }), 'revoked_key');

async function descendantsOf({ key }: CreatedKey) {
  return descendantsSchema.parse(
    (await contract.call('GET', `/v1/api-keys/${key.id}/descendants`, { as: ada })).body,
  );
}

async function revokeAll({ key }: CreatedKey) {
  const path = `/v1/api-keys/${key.id}/revoke`;
  const response = await contract.call('POST', path, { as: ada, body: { descendants: true } });
  assert.equal(response.status, 200, response.text);
  return revokedKeySchema.parse(response.body).revocation;
}

test('a revoke with descendants revokes the whole tree, including keys below an already revoked one', async () => {
  const root = await ada.createKey({ name: 'root', scopes });
  const [left, right] = [await childOf(root, 'left'), await childOf(root, 'right')];
  const [leftmost, middle] = [await childOf(left, 'leftmost'), await childOf(left, 'middle')];
  const deepest = await childOf(leftmost, 'deepest');
  const outsider = await ada.createKey({ name: 'outsider', scopes });
  await ada.revoke(left.key.id);
  for (const key of [root, right, leftmost, middle, deepest]) assert.equal(await use(key), 204);

  assert.equal((await descendantsOf(root)).count, 4);
  assert.equal((await revokeAll(root)).descendants, 4);
  for (const key of [root, left, right, leftmost, middle, deepest]) await isRevoked(key);
  assert.equal(await use(outsider), 204);
  assert.equal((await descendantsOf(root)).count, 0);
});

test('without `descendants` child keys stay active, and repeating the call with it revokes them', async () => {
  const root = await ada.createKey({ name: 'root', scopes });
  const child = await childOf(root, 'child');
  for (const body of [undefined, {}, { descendants: false }]) {
    const path = `/v1/api-keys/${root.key.id}/revoke`;
    const response = await contract.call('POST', path, { as: ada, ...(body && { body }) });
    assert.equal(revokedKeySchema.parse(response.body).revocation.descendants, 0);
    assert.equal(await use(child), 204);
  }
  assert.equal((await revokeAll(root)).descendants, 1);
  await isRevoked(child);
  assert.equal((await revokeAll(root)).descendants, 0);
});

test('an invalid body is rejected and revokes nothing', async () => {
  const root = await ada.createKey({ name: 'root', scopes });
  for (const body of [{ descendants: 'yes' }, { descendant: true }, [true], 'true']) {
    const path = `/v1/api-keys/${root.key.id}/revoke`;
    assertProblem(await contract.call('POST', path, { as: ada, body }), 'invalid_request');
  }
  assert.equal(await use(root), 204);
});

test('the descendants are counted with their usage, and expired ones are counted separately', async () => {
  const root = await ada.createKey({ name: 'root', scopes });
  assert.deepEqual(await descendantsOf(root), { count: 0, active: 0, accepted: 0, lastUsedAt: null });
  const [one, other] = [await childOf(root, 'one'), await childOf(root, 'other')];
  const grandchild = await childOf(other, 'grandchild');
  const short = await childOf(root, 'short');
  await runSql(server, 'UPDATE api_key SET expires_at = created_at + 1 WHERE id = ?', short.key.id);
  const before = await descendantsOf(root);
  assert.deepEqual([before.count, before.active], [4, 3]);
  const started = Date.now();
  for (const key of [one, one, grandchild]) assert.equal(await use(key), 204);
  const now = await descendantsOf(root);
  assert.equal(now.accepted, before.accepted + 3, 'the creation of the grandchild is counted too');
  assert.ok(now.lastUsedAt !== null && Date.parse(now.lastUsedAt) >= started);
});

test('a key can revoke another key with its descendants, even if it is one of them itself', async () => {
  const root = await ada.createKey({ name: 'root', scopes });
  const child = await childOf(root, 'child');
  const path = `/v1/api-keys/${root.key.id}/revoke`;
  const response = await contract.call('POST', path, { key: child.apiKey, body: { descendants: true } });
  assert.equal(revokedKeySchema.parse(response.body).revocation.descendants, 1);
  await isRevoked(root);
  await isRevoked(child);
});

test('ASVS 8.2.2: another workspace can neither revoke nor count descendants', async () => {
  const root = await ada.createKey({ name: 'root', scopes });
  const child = await childOf(root, 'child');
  const path = `/v1/api-keys/${root.key.id}`;
  const stranger = (await bob.createKey({ name: "bob's", scopes })).apiKey;
  for (const caller of [{ as: bob }, { key: stranger }]) {
    const body = { descendants: true };
    assertProblem(await contract.call('POST', `${path}/revoke`, { ...caller, body }), 'not_found');
    assertProblem(await contract.call('GET', `${path}/descendants`, caller), 'not_found');
  }
  assert.equal(await use(child), 204);
});

test('a key that is created while its creator is revoked does not stay active', async () => {
  let createdCount = 0;
  for (let round = 0; round < 25; round++) {
    const root = await ada.createKey({ name: 'root', scopes });
    const child = await childOf(root, 'child');
    let revokeReturned = false;
    // Each of them creates keys, and each new key creates the next one.
    const creations = [root, child, root, child].map(async (creator, lane) => {
      const created: CreatedKey[] = [];
      for (let parent = creator; ; ) {
        const body = { name: `${lane}`, scopes };
        const late = revokeReturned;
        const response = await contract.call('POST', '/v1/api-keys', { key: parent.apiKey, body });
        if (response.status !== 201) {
          assertProblem(response, 'revoked_key');
          return created;
        }
        assert.ok(!late, 'a descendant stayed active and created a key');
        parent = createdKeySchema.parse(response.body);
        created.push(parent);
      }
    });
    const { descendants } = await revokeAll(root);
    revokeReturned = true;
    const created = (await Promise.all(creations)).flat();
    assert.equal(descendants, created.length + 1);
    for (const key of created) await isRevoked(key);
    assert.equal((await descendantsOf(root)).count, 0);
    createdCount += created.length;
  }
  assert.ok(createdCount > 0, 'some keys were created');
});

test('a key without keys:read gets no other fields of a key that it changes or revokes', async () => {
  const writer = await ada.createKey({ name: 'writer', scopes: ['keys:write'] });
  const target = await ada.createKey({ name: 'target', rateLimit: 70 });
  const path = (key: CreatedKey) => `/v1/api-keys/${key.key.id}`;
  const change = (key: CreatedKey, body: object) =>
    contract.call('PATCH', path(key), { key: writer.apiKey, body });
  const { id } = target.key;
  for (const [body, expected] of [
    [{ name: '  renamed ' }, { id, name: 'renamed' }],
    [{ rateLimit: 60 }, { id, rateLimit: 60 }],
    [{ rateLimit: null }, { id, rateLimit: null }],
    [
      { name: 'both', rateLimit: 50 },
      { id, name: 'both', rateLimit: 50 },
    ],
  ] as const) {
    const response = await change(target, body);
    assert.deepEqual(keyChangeSchema.strict().parse(response.body), expected);
  }
  const own = await change(writer, { name: 'itself' });
  const changed = keySchema.parse(own.body);
  assert.deepEqual(withoutUse(changed), { ...writer.key, name: 'itself' });

  const revoked = await contract.call('POST', `${path(target)}/revoke`, { key: writer.apiKey });
  const { revocation, ...rest } = keyRevocationSchema.strict().parse(revoked.body);
  assert.deepEqual(rest, { id, status: 'revoked' });
  assert.equal(revocation.effective, true);
  await isRevoked(target);
});
