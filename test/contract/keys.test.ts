/** Making, getting, renaming and revoking a key: what is answered, and what is refused. */
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

/** Fails unless the body is refused for the field at this path. */
async function assertRefusedField(body: unknown, path: string, problem: RegExp): Promise<void> {
  const error = assertProblem(await create(body), 'invalid_request');
  assert.deepEqual(
    error.details?.map((detail) => detail.path),
    [path],
    JSON.stringify(error),
  );
  assert.match(error.details?.[0]?.problem ?? '', problem);
}

test('a made key has everything that was asked for, and the answer is not stored anywhere', async () => {
  const expiresAt = '2099-01-31T12:00:00.500Z';
  const answer = await create({ name: 'Everything', scopes: ['keys:write', 'keys:read'], expiresAt });
  assert.equal(answer.status, 201);
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  const { apiKey, key } = createdKeySchema.strict().parse(answer.body);
  assert.match(apiKey, /^sk_live_[0-9A-Za-z]{32}$/);
  const { id, createdAt, createdBy, ...rest } = key;
  assert.match(id, /^key_[0-9a-hjkmnp-tv-z]{26}$/);
  assert.match(createdBy, /^usr_/);
  assert.ok(Math.abs(Date.now() - Date.parse(createdAt)) < 60_000);
  assert.deepEqual(rest, {
    name: 'Everything',
    preview: `sk_live_${apiKey.slice(8, 11)}...${apiKey.slice(-3)}`,
    status: 'active',
    scopes: ['keys:read', 'keys:write'],
    lastUsedAt: null,
    expiresAt,
    revokedAt: null,
    rateLimit: null,
  });
});

test('by default a key has no scope and no end, also when that is written out', async () => {
  for (const body of [{ name: 'plain' }, { name: 'plain', scopes: [], expiresAt: null }]) {
    const { key } = createdKeySchema.parse((await create(body)).body);
    assert.deepEqual([key.scopes, key.expiresAt], [[], null]);
  }
});

test('a scope that is named twice counts once', async () => {
  const { key } = createdKeySchema.parse(
    (await create({ name: 'x', scopes: ['keys:read', 'keys:read'] })).body,
  );
  assert.deepEqual(key.scopes, ['keys:read']);
});

test('an expiry in another time zone is told in UTC', async () => {
  const { key } = createdKeySchema.parse(
    (await create({ name: 'x', expiresAt: '2099-01-01T01:30:00+02:00' })).body,
  );
  assert.equal(key.expiresAt, '2098-12-31T23:30:00.000Z');
});

test('a refused field is told by its path', async () => {
  await assertRefusedField({}, 'name', /string/);
  await assertRefusedField({ name: 5 }, 'name', /string/);
  await assertRefusedField({ name: null }, 'name', /string/);
  await assertRefusedField({ name: ['x'] }, 'name', /string/);
  await assertRefusedField({ name: 'x', scopes: 'keys:read' }, 'scopes', /array/);
  await assertRefusedField({ name: 'x', scopes: ['keys:read', 'admin'] }, 'scopes.1', /keys:read/);
  await assertRefusedField({ name: 'x', scopes: [null] }, 'scopes.0', /keys:read/);
  await assertRefusedField({ name: 'x', scopes: Array(11).fill('keys:read') }, 'scopes', /10/);
  await assertRefusedField({ name: 'x', status: 'revoked' }, 'body', /status/);
  await assertRefusedField({ name: 'x', id: unknownId }, 'body', /id/);
});

test('several refused fields are told together', async () => {
  const error = assertProblem(await create({ name: '', scopes: ['no'], expiresAt: 'no' }), 'invalid_request');
  assert.deepEqual(error.details?.map((detail) => detail.path).sort(), ['expiresAt', 'name', 'scopes.0']);
  for (const path of ['name', 'scopes.0', 'expiresAt']) assert.ok(error.message.includes(path));
});

test('an expiry must be a real instant to come, with its zone, in a year of four digits', async () => {
  const wrong = [
    'tomorrow',
    '2099-01-01',
    '2099-01-01T00:00:00',
    '2099-02-30T00:00:00Z',
    '',
    4_102_444_800_000,
  ];
  for (const expiresAt of wrong) {
    await assertRefusedField({ name: 'x', expiresAt }, 'expiresAt', /such as 2030-01-31T12:00:00Z/);
  }
  await assertRefusedField({ name: 'x', expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt', /in the future/);
  await assertRefusedField({ name: 'x', expiresAt: '9999-12-31T23:59:59-14:00' }, 'expiresAt', /year 9999/);
  const last = await create({ name: 'x', expiresAt: '9999-12-31T23:59:59.999Z' });
  assert.equal(last.status, 201);
  assert.equal((await contract.call('GET', '/v1/api-keys', { as: ada })).status, 200);
});

test('a body that is no JSON object is refused, and makes nothing', async () => {
  const count = async () => (await contract.call('GET', '/v1/api-keys?include=counts', { as: ada })).body;
  const before = await count();
  for (const body of ['', '{', 'null', '[]', '"x"', '{"name":"x"', '{"name":"x"}}', '\ufeff{"name":"x"']) {
    assertProblem(await create(body), 'invalid_request');
  }
  assert.deepEqual(await count(), before);
});

test('a key is got by its id, and shows no secret', async () => {
  const made = await ada.makeKey({ name: 'to get' });
  const answer = await contract.call('GET', `/v1/api-keys/${made.key.id}`, { as: ada });
  assert.deepEqual(keySchema.strict().parse(answer.body), made.key);
  assert.ok(!answer.text.includes(made.apiKey.slice(11, -3)));
});

test('an id that no key has is not found, and one that no key can have is not valid', async () => {
  const calls = [
    ['GET', ''],
    ['PATCH', ''],
    ['POST', '/revoke'],
  ] as const;
  for (const [method, rest] of calls) {
    const ask = (id: string) =>
      contract.call(method, `/v1/api-keys/${id}${rest}`, {
        as: ada,
        ...(method === 'PATCH' ? { body: { name: 'x' } } : {}),
      });
    assertProblem(await ask(unknownId), 'not_found');
    for (const id of [
      '1',
      'key_',
      `${unknownId}0`,
      unknownId.toUpperCase(),
      `key_${'u'.repeat(26)}`,
      '%00',
    ]) {
      const error = assertProblem(await ask(id), 'invalid_request');
      assert.deepEqual(error.details, [{ path: 'id', problem: 'must be a key id' }]);
    }
  }
});

test('a key is renamed, and nothing else of it can be changed', async () => {
  const made = await ada.makeKey({ name: 'old', scopes: ['keys:read'] });
  const rename = (body: unknown) => contract.call('PATCH', `/v1/api-keys/${made.key.id}`, { as: ada, body });
  const answer = await rename({ name: '  new  ' });
  assert.deepEqual(keySchema.parse(answer.body), { ...made.key, name: 'new' });
  for (const body of [{}, { name: 'x', scopes: [] }, { name: 'x', expiresAt: null }, { revokedAt: null }]) {
    assertProblem(await rename(body), 'invalid_request');
  }
  const after = await contract.call('GET', `/v1/api-keys/${made.key.id}`, { as: ada });
  assert.deepEqual(after.body, answer.body);
  assert.equal((await call(`${server.url}/v1/me`, { headers: bearer(made.apiKey) })).status, 200);
});

test('a revoked key says when it was revoked, the same on every call, and can still be renamed', async () => {
  const { apiKey, key } = await ada.makeKey({ name: 'to revoke' });
  // How long it waited for other servers may differ from call to call.
  const revoke = async () =>
    keySchema.parse((await contract.call('POST', `/v1/api-keys/${key.id}/revoke`, { as: ada })).body);
  const first = await revoke();
  assert.deepEqual({ ...first, revokedAt: null }, { ...key, status: 'revoked' });
  assert.ok(Math.abs(Date.now() - Date.parse(first.revokedAt ?? '')) < 60_000);
  assert.deepEqual(await revoke(), first);
  const body = { name: 'grave' };
  const renamed = await contract.call('PATCH', `/v1/api-keys/${key.id}`, { as: ada, body });
  assert.deepEqual(renamed.body, { ...first, name: 'grave' });
  assertProblem(await contract.call('GET', '/v1/me', { key: apiKey }), 'revoked_key');
});

test('twenty revokes at once agree on one moment', async () => {
  const { key } = await ada.makeKey({ name: 'contested' });
  const answers = await Promise.all(Array.from({ length: 20 }, () => ada.revoke(key.id)));
  assert.equal(new Set(answers.map((answer) => answer.revokedAt)).size, 1);
});
