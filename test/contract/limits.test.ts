/** Rate limits of keys: which requests pass, and what the responses report. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, test } from 'node:test';
import type { ErrorCode } from '@soku/contract/error-codes';
import { meSchema } from '@soku/contract/verification';
import { generateKey } from '@soku/key';
import { assertProblem, Contract } from '../support/contract.ts';
import { callWithFields } from '../support/http.ts';
import { assertLimited, assertNoLimit, limitOf } from '../support/limits.ts';
import { startWithMovableClock } from '../support/movable-clock.ts';
import type { HttpResponse } from '../support/person.ts';
import { onPostgres } from '../support/run-sql.ts';
import { fillDataDir, newDataDir, startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';

const { server, clock } = await startWithMovableClock({
  SOKU_KEY_RATE_LIMIT: '100',
});
after(() => server.stop());
const contract = await Contract.of(server);
const ada = await openSession(server);

const verify = (key: string) => contract.call('GET', '/v1/verify', { key });
const me = (key: string) => contract.call('GET', '/v1/me', { key });
const assertOverLimit = (response: HttpResponse, quota: number) =>
  assertLimited(response, 'key', quota, clock.now);
const assertRejected = (response: HttpResponse, code: ErrorCode) => assertProblem(response, code, clock.now);
const patch = (id: string, body: object) => contract.call('PATCH', `/v1/api-keys/${id}`, { as: ada, body });

for (const [where, request, accepted] of [
  ['GET /v1/verify', verify, 204],
  ['GET /v1/me', me, 200],
  ['a management call', (key: string) => contract.call('GET', '/v1/api-keys', { key }), 200],
] as const) {
  test(`${where} reports the limit at each step, and over it rejects until the reported time`, async () => {
    const { apiKey } = await ada.createKey({ name: 'five', rateLimit: 5, scopes: ['keys:read'] });
    await clock.beginMinute();
    for (const remaining of [4, 3, 2, 1, 0]) {
      const response = await request(apiKey);
      assert.equal(response.status, accepted);
      const { reset, ...limit } = limitOf(response);
      assert.deepEqual(limit, { policy: 'key', quota: 5, remaining });
      assert.ok(reset >= 1 && reset <= 60, `${reset} is within this minute`);
      assert.equal(response.headers.get('retry-after'), null);
    }
    const seconds = assertOverLimit(await request(apiKey), 5);
    assert.ok(seconds <= 61, 'one of five requests is available again when the minute is over');
    await clock.move(seconds * 1000);
    assert.equal((await request(apiKey)).status, accepted);
    assertOverLimit(await request(apiKey), 5);
  });
}

test('forward-auth also reports a reached limit in header fields, because nginx does not forward a 429', async () => {
  const { apiKey } = await ada.createKey({ name: 'one', rateLimit: 1 });
  await clock.beginMinute();
  await verify(apiKey);
  const response = await verify(apiKey);
  assertOverLimit(response, 1);
  assert.equal(response.headers.get('x-soku-status'), '429');
  assert.deepEqual(JSON.parse(response.headers.get('x-soku-error') ?? ''), response.body);
});

test('GET /v1/me reports the same limit in its body and its header fields', async () => {
  const { apiKey } = await ada.createKey({ name: 'seven', rateLimit: 7 });
  const response = await me(apiKey);
  const { quota, remaining, reset } = limitOf(response);
  const { limits } = meSchema.parse(response.body);
  assert.deepEqual(limits, { rateLimit: { limit: quota, remaining, resetSeconds: reset } });
  assert.deepEqual([quota, remaining], [7, 6]);
});

test('of concurrent requests, exactly as many pass as the limit allows', async () => {
  const { apiKey } = await ada.createKey({ name: 'fifty', rateLimit: 50 });
  await clock.beginMinute();
  const responses = await Promise.all(Array.from({ length: 200 }, () => verify(apiKey)));
  const passed = responses.filter((response) => response.status === 204);
  assert.equal(passed.length, 50);
  const remaining = passed.map((response) => limitOf(response).remaining ?? -1);
  assert.deepEqual(
    remaining.sort((a, b) => b - a),
    Array.from({ length: 50 }, (_, i) => 49 - i),
  );
  for (const response of responses) if (response.status !== 204) assertOverLimit(response, 50);
});

test('rejected requests do not count, so a caller that keeps trying waits no longer than others', async () => {
  const [patient, impatient] = [
    await ada.createKey({ name: 'patient', rateLimit: 2 }),
    await ada.createKey({ name: 'impatient', rateLimit: 2 }),
  ];
  await clock.beginMinute();
  for (const { apiKey } of [patient, impatient]) {
    for (let i = 0; i < 2; i++) assert.equal((await verify(apiKey)).status, 204);
  }
  for (let i = 0; i < 100; i++) assertOverLimit(await verify(impatient.apiKey), 2);
  await clock.move(90_000);
  for (const { apiKey } of [patient, impatient]) assert.equal((await verify(apiKey)).status, 204);
});

test('setting the clock back does not reset a limit', async () => {
  const { apiKey } = await ada.createKey({ name: 'two', rateLimit: 2 });
  await clock.beginMinute();
  for (let i = 0; i < 2; i++) await verify(apiKey);
  for (const ms of [-1000, -60_000, -600_000]) {
    await clock.move(ms);
    assertOverLimit(await verify(apiKey), 2);
  }
  // With PostgreSQL, the window in the database is moved back in the background: perhaps only after this move.
  await clock.move(120_000);
  await verify(apiKey);
  await clock.move(120_000);
  assert.equal((await verify(apiKey)).status, 204);
});

test('a management call counts once', async () => {
  const { apiKey } = await ada.createKey({
    name: 'manager',
    rateLimit: 1000,
    scopes: ['keys:read', 'keys:write'],
  });
  await clock.beginMinute();
  const remaining: unknown[] = [];
  for (const call of [
    () => contract.call('POST', '/v1/api-keys', { key: apiKey, body: { name: 'child' } }),
    () => contract.call('GET', '/v1/api-keys', { key: apiKey }),
    () => contract.call('POST', '/v1/api-keys', { key: apiKey, body: { name: 'child' } }),
    () => verify(apiKey),
  ]) {
    remaining.push(limitOf(await call()).remaining);
  }
  assert.deepEqual(remaining, [999, 998, 997, 996]);
});

test('a request that is rejected for a missing scope uses no quota', async () => {
  const { apiKey } = await ada.createKey({ name: 'no scope', rateLimit: 1 });
  await clock.beginMinute();
  for (let i = 0; i < 3; i++) {
    assertRejected(await contract.call('GET', '/v1/api-keys', { key: apiKey }), 'insufficient_scope');
  }
  assert.equal((await verify(apiKey)).status, 204);
  assertOverLimit(await verify(apiKey), 1);
});

test('the limit of a key overrides that of its workspace, which overrides that of the deployment', async () => {
  const setWorkspace = async (rateLimit: number | 'off' | null) => {
    const response = await contract.call('PATCH', '/v1/workspace', { as: ada, body: { rateLimit } });
    assert.equal(response.status, 200);
  };
  const { apiKey, key } = await ada.createKey({ name: 'common' });
  const own = await ada.createKey({ name: 'own', rateLimit: 9 });
  const quotaOf = async (secret: string) => limitOf(await verify(secret)).quota;
  await clock.beginMinute();
  assert.deepEqual([await quotaOf(apiKey), await quotaOf(own.apiKey)], [100, 9]);
  try {
    await setWorkspace(20);
    assert.deepEqual([await quotaOf(apiKey), await quotaOf(own.apiKey)], [20, 9]);
    await setWorkspace(2);
    assertOverLimit(await verify(apiKey), 2);
    await setWorkspace('off');
    assertNoLimit(await verify(apiKey));
    assert.deepEqual(meSchema.parse((await me(apiKey)).body).limits, { rateLimit: null });
    assert.equal((await patch(key.id, { rateLimit: 3 })).status, 200);
    assert.equal(limitOf(await verify(apiKey)).quota, 3);
  } finally {
    await setWorkspace(null);
  }
  assert.deepEqual([await quotaOf(own.apiKey)], [9]);
});

test('a changed limit applies from the next request on, including the requests counted before', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'changing', rateLimit: 5 });
  const change = async (rateLimit: unknown) => assert.equal((await patch(key.id, { rateLimit })).status, 200);
  await clock.beginMinute();
  for (const remaining of [4, 3, 2]) assert.equal(limitOf(await verify(apiKey)).remaining, remaining);
  await change(3);
  assertOverLimit(await verify(apiKey), 3);
  await change(10);
  assert.equal(limitOf(await verify(apiKey)).remaining, 6);
  await change('off');
  for (let i = 0; i < 20; i++) assertNoLimit(await verify(apiKey));
  await change(5);
  assert.equal(limitOf(await verify(apiKey)).remaining, 0);
  assertOverLimit(await verify(apiKey), 5);
});

test('a key over its limit gets the error for a revoked or expired key once it is', async () => {
  const spent = await ada.createKey({ name: 'spent', rateLimit: 1 });
  const short = await ada.createKey({
    name: 'short',
    rateLimit: 1,
    // By the clock of the server, which other tests have moved.
    expiresAt: new Date(Date.parse(spent.key.createdAt) + 3_600_000).toISOString(),
  });
  await clock.beginMinute();
  for (const { apiKey } of [spent, short]) {
    await verify(apiKey);
    assertOverLimit(await verify(apiKey), 1);
  }
  await ada.revoke(spent.key.id);
  assertRejected(await verify(spent.apiKey), 'revoked_key');
  await clock.move(3_600_000);
  assertRejected(await verify(short.apiKey), 'expired_key');
  await clock.move(-3_600_000);
});

test('the count of a limit survives a restart, and `off` means no limit', async () => {
  const running: TestServer[] = [];
  const dataDir = newDataDir();
  await fillDataDir(dataDir);
  const restart = async (keyLimit: string) => {
    await running.at(-1)?.kill('SIGTERM');
    const env = { SOKU_KEY_RATE_LIMIT: keyLimit };
    const next = await startServer({ dataDir, env });
    running.push(next);
    return next;
  };
  const request = (at: TestServer, key: string) =>
    callWithFields(`${at.url}/v1/verify`, { fields: [['Authorization', `Bearer ${key}`]] });
  try {
    const first = await restart('10');
    const { apiKey } = await (await openSession(first)).createKey({ name: 'restarted' });
    for (let i = 0; i < 15; i++) await request(first, apiKey);
    // If the minute ends meanwhile, a part of the earlier requests still counts. Without them, nine would remain.
    assert.ok(Number(limitOf(await request(await restart('10'), apiKey)).remaining) < 9);
    assert.ok(Number(limitOf(await request(await restart('10'), apiKey)).remaining) < 9);
    // A variable means the same with both databases.
    if (onPostgres) return;
    const last = await restart('off');
    assertNoLimit(await request(last, apiKey));
    for (let i = 0; i < 100; i++) assertNoLimit(await request(last, generateKey()));
  } finally {
    for (const each of running) await each.kill('SIGKILL');
    rmSync(dataDir, { recursive: true, force: true });
  }
});
