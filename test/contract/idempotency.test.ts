/** The header Idempotency-Key and the quota of active keys: repeated calls do not create many keys. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createdKeySchema, keyListSchema } from '@soku/contract/keys';
import { assertProblem, Contract } from '../support/contract.ts';
import { insertManyKeys } from '../support/many-keys.ts';
import type { Person } from '../support/person.ts';
import { runSql } from '../support/run-sql.ts';
import { addAccount, openSession } from '../support/session.ts';
import { fewKeysEnv, maxFewKeys, sharedServer } from '../support/shared-server.ts';
import { ada as adasAccount, bob as bobsAccount } from '../support/two-accounts.ts';

const server = await sharedServer();
const contract = await Contract.of(server);
const [ada, bob] = [await openSession(server, adasAccount), await openSession(server, bobsAccount)];

function create(as: Person, token: string, body: unknown = { name: 'once' }) {
  return contract.call('POST', '/v1/api-keys', { as, body, fields: [['Idempotency-Key', token]] });
}

/** Makes a stored Idempotency-Key older by some milliseconds in the database of the server. */
async function makeOlder(token: string, by: number): Promise<void> {
  const changed = await runSql(
    server,
    'UPDATE idempotency SET created_at = created_at - ? WHERE token_hash = ? RETURNING key_id',
    by,
    createHash('sha256').update(token).digest(),
  );
  assert.equal(changed.length, 1);
}

async function countNamed(name: string): Promise<number> {
  const { body } = await contract.call('GET', `/v1/api-keys?q=${name}&status=all`, { as: ada });
  return keyListSchema.parse(body).data.length;
}

test('a repeated call creates no second key and returns the id of the first one', async () => {
  const first = createdKeySchema.parse((await create(ada, 'deploy-1', { name: 'deploy' })).body);
  for (const body of [{ name: 'deploy' }, { name: 'something else' }]) {
    const again = await create(ada, 'deploy-1', body);
    const error = assertProblem(again, 'idempotency_replayed');
    assert.equal(error.details?.[0]?.keyId, first.key.id);
    assert.ok(!again.text.includes(first.apiKey.slice(8, 16)));
  }
  assert.equal(await countNamed('deploy'), 1);
});

test('twenty concurrent calls create exactly one key', async () => {
  const responses = await Promise.all(
    Array.from({ length: 20 }, () => create(ada, 'race', { name: 'racing' })),
  );
  const created = responses.filter((response) => response.status === 201);
  assert.equal(created.length, 1);
  const { key } = createdKeySchema.parse(created[0]?.body);
  for (const response of responses.filter((other) => other.status !== 201)) {
    assert.equal(assertProblem(response, 'idempotency_replayed').details?.[0]?.keyId, key.id);
  }
  assert.equal(await countNamed('racing'), 1);
});

test('a call that repeats the Idempotency-Key of a rotation does not take the rotated key for a created one', async () => {
  const { key } = await ada.createKey({ name: 'Rotated' });
  const rotated = await contract.call('POST', `/v1/api-keys/${key.id}/rotate`, {
    as: ada,
    body: {},
    fields: [['Idempotency-Key', 'of a rotation']],
  });
  assert.equal(rotated.status, 201, rotated.text);
  const error = assertProblem(await create(ada, 'of a rotation'), 'idempotency_replayed');
  assert.equal(error.details?.[0]?.keyId, key.id);
  assert.match(error.message, /If it created a key and its response was lost, revoke that key\./);
  assert.equal(await countNamed('Rotated'), 1);
});

test('workspaces have separate Idempotency-Keys', async () => {
  assert.equal((await create(ada, 'shared')).status, 201);
  assert.equal((await create(bob, 'shared')).status, 201);
});

test('a rejected call does not use up its Idempotency-Key', async () => {
  assertProblem(await create(ada, 'second-try', { name: '' }), 'invalid_request');
  assertProblem(
    await create(ada, 'second-try', { name: 'x', expiresAt: '2020-01-01T00:00:00Z' }),
    'invalid_request',
  );
  assert.equal((await create(ada, 'second-try')).status, 201);
});

test('different Idempotency-Keys create different keys, and each call without one creates a key', async () => {
  for (const token of ['a', 'A', 'a ,b']) assert.equal((await create(ada, token)).status, 201);
  for (let i = 0; i < 2; i++) {
    const response = await contract.call('POST', '/v1/api-keys', { as: ada, body: { name: 'each time' } });
    assert.equal(response.status, 201);
  }
});

test('an Idempotency-Key must have 1 to 255 characters', async () => {
  for (const token of ['', 'x'.repeat(256)]) {
    const error = assertProblem(await create(ada, token), 'invalid_request');
    assert.equal(error.details?.[0]?.path, 'idempotency-key');
  }
  assert.equal((await create(ada, 'x'.repeat(255))).status, 201);
});

test('an Idempotency-Key is stored for a day', async () => {
  const hour = 60 * 60 * 1000;
  const first = createdKeySchema.parse((await create(ada, 'daily', { name: 'daily' })).body);
  await makeOlder('daily', 23 * hour);
  const again = assertProblem(await create(ada, 'daily', { name: 'daily' }), 'idempotency_replayed');
  assert.equal(again.details?.[0]?.keyId, first.key.id);
  await makeOlder('daily', 2 * hour);
  const second = createdKeySchema.parse((await create(ada, 'daily', { name: 'daily' })).body);
  assert.equal(await countNamed('daily'), 2);
  const replayed = assertProblem(await create(ada, 'daily'), 'idempotency_replayed');
  assert.equal(replayed.details?.[0]?.keyId, second.key.id, 'it is stored again');
});

test('an Idempotency-Key whose key was revoked still creates no new key', async () => {
  const { key } = createdKeySchema.parse((await create(ada, 'revoked')).body);
  await ada.revoke(key.id);
  assert.equal(
    assertProblem(await create(ada, 'revoked'), 'idempotency_replayed').details?.[0]?.keyId,
    key.id,
  );
});

test('a workspace cannot exceed its active key limit, even with concurrent calls', async () => {
  const small = await sharedServer(fewKeysEnv);
  const limited = await Contract.of(small);
  const account = await addAccount(small);
  const person = await openSession(small, account);
  // Three more fit.
  await insertManyKeys(small, account.email, maxFewKeys - 3);
  const createKey = (token: string) =>
    limited.call('POST', '/v1/api-keys', {
      as: person,
      body: { name: 'n' },
      fields: [['Idempotency-Key', token]],
    });
  const responses = await Promise.all(Array.from({ length: 10 }, (_, at) => createKey(`first ${at}`)));
  const created = responses.filter((response) => response.status === 201);
  assert.equal(created.length, 3);
  for (const response of responses.filter((other) => other.status !== 201)) {
    assert.match(
      assertProblem(response, 'key_quota_reached').message,
      new RegExp(`${maxFewKeys} active keys`),
    );
  }
  const { key } = createdKeySchema.parse(created[0]?.body);
  await person.revoke(key.id);
  assert.equal((await createKey('after')).status, 201, 'a revoked key does not count');
  assertProblem(await createKey('again'), 'key_quota_reached');
  await person.revoke(keyListSchema.parse((await person.call('GET', '/v1/api-keys')).body).data[0]?.id ?? '');
  assert.equal(
    (await createKey('again')).status,
    201,
    'a call over the quota does not use up its Idempotency-Key',
  );
});
