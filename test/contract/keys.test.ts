/** Creating, reading, renaming and revoking a key: responses and rejections. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createdKeySchema, keySchema } from '@soku/contract/keys';
import { assertProblem, Contract } from '../support/contract.ts';
import { bearer, call } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const contract = await Contract.of(server);
const ada = await openSession(server);
const unknownId = `key_${'0'.repeat(26)}`;

const create = (body: unknown) => contract.call('POST', '/v1/api-keys', { as: ada, body });

/** Fails unless the body is rejected for the field at this path. */
async function assertRejectedField(body: unknown, path: string, problem: RegExp): Promise<void> {
  const error = assertProblem(await create(body), 'invalid_request');
  assert.deepEqual(
    error.details?.map((detail) => detail.path),
    [path],
    JSON.stringify(error),
  );
  assert.match(error.details?.[0]?.problem ?? '', problem);
}

test('a created key has all requested fields, and the response must not be cached', async () => {
  const expiresAt = '2099-01-31T12:00:00.500Z';
  const response = await create({ name: 'Everything', scopes: ['keys:write', 'keys:read'], expiresAt });
  assert.equal(response.status, 201);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  const { apiKey, key } = createdKeySchema.strict().parse(response.body);
  assert.match(apiKey, /^sk_live_[0-9A-Za-z]{32}$/);
  const { id, createdAt, createdBy, ...rest } = key;
  const [secret] = key.secrets;
  assert.match(id, /^key_[0-9a-hjkmnp-tv-z]{26}$/);
  assert.match(createdBy, /^usr_/);
  assert.ok(Math.abs(Date.now() - Date.parse(createdAt)) < 60_000);
  assert.deepEqual(rest, {
    name: 'Everything',
    preview: `sk_live_${apiKey.slice(8, 11)}...${apiKey.slice(-3)}`,
    status: 'active',
    environment: 'live',
    scopes: ['keys:read', 'keys:write'],
    lastUsedAt: null,
    expiresAt,
    disabledAt: null,
    revokedAt: null,
    revokedReason: null,
    allowedAddresses: [],
    rateLimit: null,
    externalId: null,
    metadata: {},
    secrets: [{ ...secret, preview: key.preview, retiresAt: null, retiredAt: null, lastUsedAt: null }],
  });
  assert.match(String(secret?.id), /^sec_[0-9a-hjkmnp-tv-z]{26}$/);
  assert.equal(secret?.createdAt, createdAt);
});

test('by default a key has no scopes and no expiry, as with explicit empty values', async () => {
  for (const body of [{ name: 'plain' }, { name: 'plain', scopes: [], expiresAt: null }]) {
    const { key } = createdKeySchema.parse((await create(body)).body);
    assert.deepEqual([key.scopes, key.expiresAt], [[], null]);
  }
});

test('duplicate scopes are removed', async () => {
  const { key } = createdKeySchema.parse(
    (await create({ name: 'x', scopes: ['keys:read', 'keys:read'] })).body,
  );
  assert.deepEqual(key.scopes, ['keys:read']);
});

test('an expiry in another time zone is returned in UTC', async () => {
  const { key } = createdKeySchema.parse(
    (await create({ name: 'x', expiresAt: '2099-01-01T01:30:00+02:00' })).body,
  );
  assert.equal(key.expiresAt, '2098-12-31T23:30:00.000Z');
});

test('a rejected field is reported by its path', async () => {
  await assertRejectedField({}, 'name', /string/);
  await assertRejectedField({ name: 5 }, 'name', /string/);
  await assertRejectedField({ name: null }, 'name', /string/);
  await assertRejectedField({ name: ['x'] }, 'name', /string/);
  await assertRejectedField({ name: 'x', scopes: 'keys:read' }, 'scopes', /array/);
  await assertRejectedField({ name: 'x', scopes: ['keys:read', 'A b'] }, 'scopes.1', /files:read/);
  await assertRejectedField({ name: 'x', scopes: [null] }, 'scopes.0', /string/);
  await assertRejectedField({ name: 'x', scopes: ['keys:*'] }, 'scopes.0', /files:read/);
  await assertRejectedField({ name: 'x', scopes: Array(101).fill('keys:read') }, 'scopes', /100/);
  await assertRejectedField({ name: 'x', status: 'revoked' }, 'body', /status/);
  await assertRejectedField({ name: 'x', id: unknownId }, 'body', /id/);
});

test('all rejected fields are reported together', async () => {
  const error = assertProblem(
    await create({ name: '', scopes: ['no no'], expiresAt: 'no' }),
    'invalid_request',
  );
  assert.deepEqual(error.details?.map((detail) => detail.path).sort(), ['expiresAt', 'name', 'scopes.0']);
  for (const path of ['name', 'scopes.0', 'expiresAt']) assert.ok(error.message.includes(path));
});

test('an expiry must be a valid time in the future, with a time zone, up to the year 9999', async () => {
  const invalid = [
    'tomorrow',
    '2099-01-01',
    '2099-01-01T00:00:00',
    '2099-02-30T00:00:00Z',
    '',
    4_102_444_800_000,
  ];
  for (const expiresAt of invalid) {
    await assertRejectedField({ name: 'x', expiresAt }, 'expiresAt', /such as 2030-01-31T12:00:00Z/);
  }
  await assertRejectedField({ name: 'x', expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt', /in the future/);
  await assertRejectedField({ name: 'x', expiresAt: '9999-12-31T23:59:59-14:00' }, 'expiresAt', /year 9999/);
  const last = await create({ name: 'x', expiresAt: '9999-12-31T23:59:59.999Z' });
  assert.equal(last.status, 201);
  assert.equal((await contract.call('GET', '/v1/api-keys', { as: ada })).status, 200);
});

test('a body that is not a JSON object is rejected and creates nothing', async () => {
  const count = async () => (await contract.call('GET', '/v1/api-keys?include=counts', { as: ada })).body;
  const before = await count();
  for (const body of ['', '{', 'null', '[]', '"x"', '{"name":"x"', '{"name":"x"}}', '\ufeff{"name":"x"']) {
    assertProblem(await create(body), 'invalid_request');
  }
  assert.deepEqual(await count(), before);
});

test('a key can be read by its id, without its secret', async () => {
  const created = await ada.createKey({ name: 'to get' });
  const response = await contract.call('GET', `/v1/api-keys/${created.key.id}`, { as: ada });
  assert.deepEqual(keySchema.strict().parse(response.body), created.key);
  assert.ok(!response.text.includes(created.apiKey.slice(11, -3)));
});

test('an unknown id is not found, and a malformed id is invalid', async () => {
  const calls = [
    ['GET', ''],
    ['PATCH', ''],
    ['POST', '/revoke'],
  ] as const;
  for (const [method, rest] of calls) {
    const request = (id: string) =>
      contract.call(method, `/v1/api-keys/${id}${rest}`, {
        as: ada,
        ...(method === 'PATCH' ? { body: { name: 'x' } } : {}),
      });
    assertProblem(await request(unknownId), 'not_found');
    for (const id of [
      '1',
      'key_',
      `${unknownId}0`,
      unknownId.toUpperCase(),
      `key_${'u'.repeat(26)}`,
      '%00',
    ]) {
      const error = assertProblem(await request(id), 'invalid_request');
      assert.deepEqual(error.details, [{ path: 'id', problem: 'must be a key id' }]);
    }
  }
});

test('a key can be renamed, and what it is cannot be changed', async () => {
  const created = await ada.createKey({ name: 'old', scopes: ['keys:read'] });
  const rename = (body: unknown) =>
    contract.call('PATCH', `/v1/api-keys/${created.key.id}`, { as: ada, body });
  const response = await rename({ name: '  new  ' });
  assert.deepEqual(keySchema.parse(response.body), { ...created.key, name: 'new' });
  for (const body of [{}, { name: 'x', environment: 'test' }, { revokedAt: null }, { secrets: [] }]) {
    assertProblem(await rename(body), 'invalid_request');
  }
  const after = await contract.call('GET', `/v1/api-keys/${created.key.id}`, { as: ada });
  assert.deepEqual(after.body, response.body);
  assert.equal((await call(`${server.url}/v1/me`, { headers: bearer(created.apiKey) })).status, 200);
});

test('a revoked key keeps the time of its first revoke, and can still be renamed', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'to revoke' });
  // keySchema drops the field `revocation`, which can differ from call to call.
  const revoke = async () =>
    keySchema.parse((await contract.call('POST', `/v1/api-keys/${key.id}/revoke`, { as: ada })).body);
  const first = await revoke();
  assert.deepEqual({ ...first, revokedAt: null }, { ...key, status: 'revoked' });
  assert.ok(Math.abs(Date.now() - Date.parse(first.revokedAt ?? '')) < 60_000);
  assert.deepEqual(await revoke(), first);
  const body = { name: 'renamed' };
  const renamed = await contract.call('PATCH', `/v1/api-keys/${key.id}`, { as: ada, body });
  assert.deepEqual(renamed.body, { ...first, name: 'renamed' });
  assertProblem(await contract.call('GET', '/v1/me', { key: apiKey }), 'revoked_key');
});

test('twenty concurrent revokes return the same time', async () => {
  const { key } = await ada.createKey({ name: 'contested' });
  const responses = await Promise.all(Array.from({ length: 20 }, () => ada.revoke(key.id)));
  assert.equal(new Set(responses.map((response) => response.revokedAt)).size, 1);
});
