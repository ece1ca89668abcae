/** Live and test keys: which ones are accepted where. Turning test keys on must not open production to them. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sessionSchema } from '@soku/contract/accounts';
import { createdKeySchema } from '@soku/contract/keys';
import { verificationSchema } from '@soku/contract/verification';
import { startGateway, Upstream } from '../gateway/gateway.ts';
import { assertProblem, Contract } from '../support/contract.ts';
import { callWithFields } from '../support/http.ts';
import { bearer, type HttpResponse, type Person } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { sharedServer, testKeysEnv } from '../support/shared-server.ts';

const upstream = await Upstream.start();
const either = await startGateway(upstream.url, { ...testKeysEnv, SOKU_VERIFY_ENVIRONMENT: 'any' });
const onlyTest = await startGateway(upstream.url, { ...testKeysEnv, SOKU_VERIFY_ENVIRONMENT: 'test' });
after(async () => {
  await either.server.stop();
  await onlyTest.server.stop();
  await upstream.stop();
});

const scopes = ['keys:read', 'keys:write', 'keys:verify'];

/** A live key and a test key, in this order, for everything. */
async function createBoth(person: Person): Promise<[string, string]> {
  const live = await person.createKey({ name: 'live', scopes });
  const forTests = await person.createKey({ name: 'test', scopes, environment: 'test' });
  assert.deepEqual([live.key.environment, forTests.key.environment], ['live', 'test']);
  assert.match(live.apiKey, /^sk_live_[0-9A-Za-z]{32}$/);
  assert.match(forTests.apiKey, /^sk_test_[0-9A-Za-z]{32}$/);
  assert.match(forTests.key.preview, /^sk_test_/);
  return [live.apiKey, forTests.apiKey];
}

/** A way to use a key, and the status of success. */
type Use = [use: (key: string) => Promise<HttpResponse>, status: number];

function uses(url: string, gateway?: string): Use[] {
  const way = (method: string, target: string, status: number): Use => [
    (key) => callWithFields(target, { method, fields: [['Authorization', `Bearer ${key}`]] }),
    status,
  ];
  return [
    way('GET', `${url}/v1/verify`, 204),
    way('POST', `${url}/v1/verify/orders`, 200),
    way('GET', `${url}/v1/me`, 200),
    way('GET', `${url}/v1/api-keys`, 200),
    ...(gateway === undefined ? [] : [way('GET', `${gateway}/`, 200)]),
  ];
}

async function assertAccepted(key: string, all: Use[]): Promise<void> {
  for (const [use, status] of all) {
    const response = await use(key);
    assert.equal(response.status, status, response.text);
  }
}

async function assertRejected(key: string, all: Use[]): Promise<void> {
  for (const [use] of all) assertProblem(await use(key), 'wrong_environment');
}

/** The code of POST /v1/verify for a key. */
async function codeOf(url: string, caller: string, apiKey: string, query = ''): Promise<string> {
  const response = await callWithFields(`${url}/v1/verify${query}`, {
    method: 'POST',
    fields: [...Object.entries(bearer(caller)), ['Content-Type', 'application/json']],
    body: JSON.stringify({ apiKey }),
  });
  return verificationSchema.parse(response.body).code;
}

test('without a prefix for test keys, there are none', async () => {
  const server = await sharedServer();
  const contract = await Contract.of(server);
  const ada = await openSession(server);
  const body = { name: 'test', environment: 'test' };
  const error = assertProblem(
    await contract.call('POST', '/v1/api-keys', { as: ada, body }),
    'invalid_request',
  );
  assert.equal(error.details?.[0]?.path, 'environment');
  assert.match(error.message, /SOKU_TEST_KEY_PREFIX/);
  const live = await contract.call('POST', '/v1/api-keys', {
    as: ada,
    body: { ...body, environment: 'live' },
  });
  assert.equal(createdKeySchema.parse(live.body).key.environment, 'live');
  const session = sessionSchema.parse((await ada.call('GET', '/api/session')).body);
  assert.equal(session.testKeyPrefix, null);
});

test('a prefix alone lets people create test keys, which are rejected everywhere', async () => {
  const server = await sharedServer(testKeysEnv);
  const ada = await openSession(server);
  const [live, forTests] = await createBoth(ada);
  await assertAccepted(live, uses(server.url));
  await assertRejected(forTests, uses(server.url));
  assert.equal(await codeOf(server.url, live, live), 'valid');
  assert.equal(await codeOf(server.url, live, forTests), 'wrong_environment');
  assert.equal(await codeOf(server.url, live, forTests, '?environment=test'), 'wrong_environment');
  const { message } = assertProblem(
    await callWithFields(`${server.url}/v1/verify?environment=test`, {
      fields: [['Authorization', `Bearer ${forTests}`]],
    }),
    'wrong_environment',
  );
  assert.match(message, /a test key, but only live keys/);
  const session = sessionSchema.parse((await ada.call('GET', '/api/session')).body);
  assert.deepEqual([session.keyPrefix, session.testKeyPrefix], ['sk_live_', 'sk_test_']);
  assert.deepEqual(session.keyPrefixes, ['sk_live_', 'sk_test_']);
});

test('a deployment for tests accepts test keys only', async () => {
  const { server, gateway } = onlyTest;
  const [live, forTests] = await createBoth(await openSession(server));
  await assertAccepted(forTests, uses(server.url, gateway));
  await assertRejected(live, uses(server.url, gateway));
  assert.equal(await codeOf(server.url, forTests, live), 'wrong_environment');
  assert.equal(await codeOf(server.url, forTests, forTests, '?environment=test'), 'valid');
});

test('a deployment for both reports the environment, and each call can require one', async () => {
  const { server, gateway } = either;
  const [live, forTests] = await createBoth(await openSession(server));
  for (const [key, own, other] of [
    [live, 'live', 'test'],
    [forTests, 'test', 'live'],
  ] as const) {
    await assertAccepted(key, uses(server.url, gateway));
    assert.equal(upstream.last.headers['x-soku-environment'], own);
    const verify = (query: string) =>
      callWithFields(`${server.url}/v1/verify${query}`, { fields: Object.entries(bearer(key)) });
    for (const query of ['', `?environment=${own}`]) {
      const response = await verify(query);
      assert.deepEqual([response.status, response.headers.get('x-soku-environment')], [204, own]);
    }
    assertProblem(await verify(`?environment=${other}`), 'wrong_environment');
    assert.equal(await codeOf(server.url, live, key, `?environment=${own}`), 'valid');
    assert.equal(await codeOf(server.url, live, key, `?environment=${other}`), 'wrong_environment');
  }
});

test('a key passes on its environment, and cannot choose or change another one', async () => {
  const { server } = either;
  const contract = await Contract.of(server);
  const ada = await openSession(server);
  const [live, forTests] = await createBoth(ada);
  for (const [key, own, other] of [
    [live, 'live', 'test'],
    [forTests, 'test', 'live'],
  ] as const) {
    const create = (body: object) =>
      contract.call('POST', '/v1/api-keys', { key, body: { name: 'child', ...body } });
    for (const body of [{}, { environment: own }]) {
      const child = createdKeySchema.parse((await create(body)).body);
      assert.equal(child.key.environment, own);
      assert.ok(child.apiKey.startsWith(`sk_${own}_`));
    }
    const error = assertProblem(await create({ environment: other }), 'invalid_request');
    assert.equal(error.details?.[0]?.path, 'environment');
    const others = await ada.createKey({ name: 'other', environment: other });
    const path = `/v1/api-keys/${others.key.id}`;
    assertProblem(await contract.call('PATCH', path, { key, body: { name: 'stolen' } }), 'invalid_request');
    assertProblem(
      await contract.call('PATCH', path, { as: ada, body: { environment: own } }),
      'invalid_request',
    );
  }
});
