/** The usage of a key: who used it last and how often, including the latest request. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createdKeySchema, type Key, keyListSchema, keySchema } from '@soku/contract/keys';
import { type Usage, usageSchema } from '@soku/contract/usage';
import { meSchema } from '@soku/contract/verification';
import { generateKey } from '@soku/key';
import { assertProblem, Contract } from '../support/contract.ts';
import { type Fields, toLatin1 } from '../support/http.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const contract = await Contract.of(server);
const ada = await openSession(server);
const hour = 3_600_000;

async function usageOf(id: string, query = ''): Promise<Usage> {
  const response = await contract.call('GET', `/v1/api-keys/${id}/usage${query}`, { as: ada });
  assert.equal(response.status, 200, response.text);
  return usageSchema.strict().parse(response.body);
}

async function keyOf(id: string): Promise<Key> {
  return keySchema.parse((await contract.call('GET', `/v1/api-keys/${id}`, { as: ada })).body);
}

/** Uses a key as a proxy does, so many times. */
async function use(key: string, times = 1, fields: Fields = []): Promise<void> {
  for (let i = 0; i < times; i++) await contract.call('GET', '/v1/verify', { key, fields });
}

test('an unused key has no last use, and 24 hours with zero requests', async () => {
  const { key } = await ada.createKey({ name: 'unused' });
  assert.equal(key.lastUsedAt, null);
  assert.equal((await keyOf(key.id)).lastUsedAt, null);
  const { keyId, from, to, accepted, refused, refusedBy, hours, lastUsed } = await usageOf(key.id);
  assert.deepEqual([keyId, accepted, refused, lastUsed], [key.id, 0, 0, null]);
  assert.deepEqual(refusedBy, {});
  assert.equal(hours.length, 24);
  const starts = hours.map(({ hour: start }) => Date.parse(start));
  assert.deepEqual(
    starts,
    Array.from({ length: 24 }, (_, i) => Date.parse(from) + i * hour),
  );
  assert.equal(Date.parse(to) - Date.parse(from), 24 * hour);
  assert.equal(Date.parse(to) % hour, 0);
  assert.ok(Math.abs(Date.parse(to) - hour / 2 - Date.now()) < hour, 'the last hour is the current one');
  assert.ok(hours.every((counts) => counts.accepted === 0 && counts.refused === 0));
});

test('the uses of each secret of a key are separate, with the last one of each', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'rotated' });
  await use(apiKey, 2, [['User-Agent', 'old-program/1.0']]);
  const rotated = await contract.call('POST', `/v1/api-keys/${key.id}/rotate`, { as: ada, body: {} });
  const { apiKey: newKey, key: after } = createdKeySchema.parse(rotated.body);
  const [unused] = (await usageOf(key.id)).secrets;
  assert.deepEqual(unused, { id: after.secrets[0]?.id, accepted: 0, lastUsed: null });
  await use(newKey, 1, [['User-Agent', 'new-program/2.0']]);
  const { accepted, lastUsed, secrets } = await usageOf(key.id);
  assert.equal(accepted, 3);
  assert.equal(lastUsed?.userAgent, 'new-program/2.0');
  assert.deepEqual(
    secrets.map((secret) => [secret.id, secret.accepted, secret.lastUsed?.userAgent]),
    [
      [after.secrets[0]?.id, 1, 'new-program/2.0'],
      [key.secrets[0]?.id, 2, 'old-program/1.0'],
    ],
  );
});

test('every use is visible immediately, with time, address, user agent and count', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'used' });
  const before = Date.now();
  await use(apiKey, 2, [['User-Agent', 'older/1']]);
  await use(apiKey, 1, [['User-Agent', 'deploy/2.1']]);
  const usage = await usageOf(key.id, '?hours=2');
  const at = Date.parse(usage.lastUsed?.at ?? '');
  assert.ok(before <= at && at <= Date.now());
  assert.deepEqual(usage.lastUsed, {
    at: new Date(at).toISOString(),
    address: '127.0.0.1',
    userAgent: 'deploy/2.1',
  });
  assert.deepEqual([usage.accepted, usage.refused], [3, 0]);
  // Two hours, because the first of the uses may fall into the previous hour.
  assert.equal(
    usage.hours.reduce((sum, { accepted }) => sum + accepted, 0),
    3,
  );
});

test('the key, the list and /v1/me show the same last use', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'spotted everywhere' });
  const other = await ada.createKey({ name: 'spotted nowhere' });
  const me = meSchema.parse((await contract.call('GET', '/v1/me', { key: apiKey })).body);
  assert.notEqual(me.key.lastUsedAt, null);
  assert.equal((await keyOf(key.id)).lastUsedAt, me.key.lastUsedAt);
  assert.equal((await usageOf(key.id)).lastUsed?.at, me.key.lastUsedAt);
  const page = keyListSchema.parse((await contract.call('GET', '/v1/api-keys?q=spotted', { as: ada })).body);
  assert.deepEqual(
    page.data.map(({ id, lastUsedAt }) => [id, lastUsedAt]),
    [
      [other.key.id, null],
      [key.id, me.key.lastUsedAt],
    ],
  );
});

test('rejected requests are counted separately by error code, and are not a last use', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'refused' });
  await use(apiKey);
  const { lastUsedAt } = await keyOf(key.id);
  assertProblem(await contract.call('GET', '/v1/api-keys', { key: apiKey }), 'insufficient_scope');
  await ada.revoke(key.id);
  assertProblem(await contract.call('GET', '/v1/me', { key: apiKey }), 'revoked_key');
  assertProblem(await contract.call('GET', '/v1/verify', { key: apiKey }), 'revoked_key');
  const usage = await usageOf(key.id);
  assert.deepEqual([usage.accepted, usage.refused], [1, 3]);
  assert.deepEqual(usage.refusedBy, { insufficient_scope: 1, revoked_key: 2 });
  assert.equal(usage.lastUsed?.at, lastUsedAt);
});

test('a request without an existing key is counted for no key', async () => {
  const { key } = await ada.createKey({ name: 'bystander' });
  for (const credentials of [generateKey(), key.preview]) await use(credentials);
  assert.deepEqual(
    [(await usageOf(key.id)).accepted, (await usageOf(key.id)).refused, (await usageOf(key.id)).lastUsed],
    [0, 0, null],
  );
});

test('a call counts once, even if its caller is verified twice', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'manager', scopes: ['keys:read', 'keys:write'] });
  await contract.call('GET', '/v1/api-keys', { key: apiKey });
  const created = await contract.call('POST', '/v1/api-keys', { key: apiKey, body: { name: 'child' } });
  assert.equal(created.status, 201);
  assert.deepEqual([(await usageOf(key.id)).accepted, (await usageOf(key.id)).refused], [2, 0]);
});

test('a key with keys:read can read its own usage, which includes that call', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'watcher', scopes: ['keys:read'] });
  const response = await contract.call('GET', `/v1/api-keys/${key.id}/usage`, { key: apiKey });
  assert.equal(usageSchema.parse(response.body).accepted, 1);
  const plain = await ada.createKey({ name: 'plain' });
  const rejected = await contract.call('GET', `/v1/api-keys/${key.id}/usage`, { key: plain.apiKey });
  assertProblem(rejected, 'insufficient_scope');
});

test('a user agent is stored without control characters and keys, cut to 200 characters', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'odd clients' });
  const userAgentAfter = async (agent: string) => {
    await use(apiKey, 1, [['User-Agent', toLatin1(agent)]]);
    return (await usageOf(key.id)).lastUsed?.userAgent;
  };
  assert.equal(
    await userAgentAfter(`curl/8 ${'long words '.repeat(50)}`),
    `curl/8 ${'long words '.repeat(50)}`.slice(0, 200),
  );
  assert.equal(await userAgentAfter('tab\there'), 'tabhere');
  assert.equal(await userAgentAfter(`mine ${apiKey} yours`), 'mine [redacted] yours');
  assert.equal(await userAgentAfter(`split ${apiKey.slice(0, 20)}\t${apiKey.slice(20)}`), 'split [redacted]');
  assert.equal(await userAgentAfter(`${'x '.repeat(90)}${apiKey}`), `${'x '.repeat(90)}[redacted]`);
  await use(apiKey);
  assert.equal((await usageOf(key.id)).lastUsed?.userAgent, '', 'a client without a user agent');
});

test('up to 90 days of usage can be requested, and other parameters are rejected', async () => {
  const { key } = await ada.createKey({ name: 'long ago' });
  for (const hours of [1, 2160]) assert.equal((await usageOf(key.id, `?hours=${hours}`)).hours.length, hours);
  for (const hours of ['0', '-1', '2161', '1.5', 'all', '', '1e9']) {
    const response = await contract.call('GET', `/v1/api-keys/${key.id}/usage?hours=${hours}`, { as: ada });
    const error = assertProblem(response, 'invalid_request');
    assert.deepEqual(
      error.details?.map(({ path }) => path),
      ['hours'],
    );
  }
  const misspelled = await contract.call('GET', `/v1/api-keys/${key.id}/usage?hour=3`, { as: ada });
  assertProblem(misspelled, 'invalid_request');
});
