/** POST /v1/verify, as a back end calls it with a key from a request that it received. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKey } from '@soku/key';
import { z } from 'zod';
import { assertProblem, Contract } from '../support/contract.ts';
import type { Fields } from '../support/http.ts';
import { withinOneMinute } from '../support/limits.ts';
import { runSql } from '../support/run-sql.ts';
import { startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';
import { ada as adasAccount, bob as bobsAccount, startWithTwoAccounts } from '../support/two-accounts.ts';
import { mistakesWith } from './wrong-credentials.ts';

const server = await sharedServer();
const [ada, bob] = [await openSession(server, adasAccount), await openSession(server, bobsAccount)];
const contract = await Contract.of(server);
const caller = await ada.createKey({ name: 'back end', scopes: ['keys:verify'], rateLimit: 1 });
const target = await ada.createKey({ name: 'Größe', scopes: ['keys:read'] });

const resultSchema = z.strictObject({
  valid: z.boolean(),
  code: z.string(),
  message: z.string().optional(),
  key: z.unknown().optional(),
  rateLimit: z.unknown().optional(),
  retryAfterSeconds: z.int().optional(),
});

async function verify(body: unknown, key = caller.apiKey) {
  const response = await contract.call('POST', '/v1/verify', { key, body });
  assert.equal(response.status, 200, response.text);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.ok(!response.text.includes(target.apiKey));
  return resultSchema.parse(response.body);
}

test('a valid key gets its details and rate limit, and the rate limit of the caller does not apply', async () => {
  const workspace = await contract.call('GET', '/v1/workspace', { as: ada });
  const { id: workspaceId } = z.looseObject({ id: z.string() }).parse(workspace.body);
  await withinOneMinute(async () => {
    const { apiKey, key } = await ada.createKey({ name: 'Größe', scopes: ['keys:read'], rateLimit: 5 });
    for (const remaining of [4, 3, 2]) {
      const { rateLimit, ...rest } = await verify({ apiKey });
      const { id, name, scopes, expiresAt, environment, externalId, metadata } = key;
      assert.deepEqual(rest, {
        valid: true,
        code: 'valid',
        key: { id, workspaceId, name, scopes, environment, expiresAt, externalId, metadata },
      });
      const limitSchema = z.strictObject({ limit: z.int(), remaining: z.int(), resetSeconds: z.int() });
      const limit = limitSchema.parse(rateLimit);
      assert.deepEqual([limit.limit, limit.remaining], [5, remaining]);
    }
  });
});

test('a key over its limit is rejected until the window moves on', async () => {
  await withinOneMinute(async () => {
    const { apiKey } = await ada.createKey({ name: 'twice', rateLimit: 2 });
    for (let i = 0; i < 2; i++) {
      const { code, retryAfterSeconds } = await verify({ apiKey });
      assert.deepEqual([code, retryAfterSeconds], ['valid', undefined]);
    }
    for (let i = 0; i < 2; i++) {
      const { code, rateLimit, retryAfterSeconds } = await verify({ apiKey });
      assert.equal(code, 'rate_limited');
      assert.ok(retryAfterSeconds !== undefined && retryAfterSeconds > 0);
      assert.deepEqual(rateLimit, { limit: 2, remaining: 0, resetSeconds: retryAfterSeconds });
    }
  });
});

test('a missing scope is reported and uses none of the limit of the key', async () => {
  const { apiKey } = await ada.createKey({ name: 'once', scopes: ['keys:read'], rateLimit: 1 });
  for (let i = 0; i < 3; i++) {
    const rejected = await verify({ apiKey, scopes: ['keys:read', 'keys:write'] });
    assert.equal(rejected.code, 'insufficient_scope');
    assert.match(rejected.message ?? '', /keys:write/);
  }
  assert.equal((await verify({ apiKey, scopes: ['keys:read'] })).code, 'valid');
});

test('text that is not a valid key gets the code and message that the client itself would get', async () => {
  const codesOfKeys = ['missing_prefix', 'key_preview', 'malformed_key', 'mistyped_key'];
  for (const [code, mistakes] of mistakesWith(target.apiKey)) {
    if (!codesOfKeys.includes(code)) continue;
    for (const { what, fields, pattern } of mistakes) {
      const apiKey = fields[0]?.[1].replace('Bearer ', '') ?? '';
      const result = await verify({ apiKey });
      assert.deepEqual([result.valid, result.code, result.key], [false, code, undefined], what);
      assert.match(result.message ?? '', pattern, what);
    }
  }
  assert.equal((await verify({ apiKey: generateKey() })).code, 'unknown_key');
  assert.equal((await verify({ apiKey: '' })).valid, false);
});

test('a revoked key is rejected as soon as the revoke has returned', async () => {
  const { apiKey, key } = await ada.createKey({ name: 'to revoke' });
  assert.equal((await verify({ apiKey })).code, 'valid');
  await ada.revoke(key.id);
  assert.equal((await verify({ apiKey })).code, 'revoked_key');
});

test('while keys cannot be looked up, the call is rejected, and no key is reported as invalid', async () => {
  const { apiKey } = await ada.createKey({ name: 'not cached' });
  // From now on the caller is cached, so that only a key in the body has to be looked up.
  await verify({ apiKey: target.apiKey });
  // The framework handles requests with a cookie.
  const forms: Fields[] = [[], [['Cookie', 'theme=dark']]];
  await runSql(server, 'ALTER TABLE api_key_secret RENAME TO gone');
  try {
    for (const fields of forms) {
      for (const body of [{ apiKey }, { apiKeys: [target.apiKey, apiKey] }]) {
        const response = await contract.call('POST', '/v1/verify', { key: caller.apiKey, fields, body });
        assertProblem(response, 'verification_unavailable');
        assert.match(response.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
      }
    }
  } finally {
    await runSql(server, 'ALTER TABLE gone RENAME TO api_key_secret');
  }
  assert.equal((await verify({ apiKey })).code, 'valid');
});

test('keys of all workspaces are valid by default, because their holders are clients of the same API', async () => {
  const { apiKey, key } = await bob.createKey({ name: "bob's" });
  const result = await verify({ apiKey });
  assert.equal(z.looseObject({ id: z.string() }).parse(result.key).id, key.id);
});

test('only a key with the scope keys:verify may verify other keys', async () => {
  const body = { apiKey: target.apiKey };
  const plain = await contract.call('POST', '/v1/verify', { key: target.apiKey, body });
  assertProblem(plain, 'insufficient_scope');
  assertProblem(await contract.call('POST', '/v1/verify', { body }), 'missing_authorization');
  assertProblem(await contract.call('POST', '/v1/verify', { as: ada, body }), 'missing_authorization');
  assertProblem(await contract.call('POST', '/v1/verify', { key: generateKey(), body }), 'unknown_key');
});

test('an invalid body is rejected with the path of the error, and the response does not repeat it', async () => {
  const { apiKey } = target;
  for (const [body, path] of [
    [{}, 'apiKey'],
    [{ apiKey: 1 }, 'apiKey'],
    [{ apiKey: `${apiKey}${'a'.repeat(20_000)}` }, 'apiKey'],
    [{ apiKey, scopes: ['Admin'] }, 'scopes.0'],
    [{ apiKey, scopes: ['files:*'] }, 'scopes.0'],
    [{ apiKey, ip: '999.1.1.1' }, 'ip'],
    [{ apiKey, ip: `${apiKey}` }, 'ip'],
    [{ apiKey, [apiKey]: 1 }, 'body'],
  ] as const) {
    const response = await contract.call('POST', '/v1/verify', { key: caller.apiKey, body });
    const { details } = assertProblem(response, 'invalid_request');
    assert.equal(details?.[0]?.path, path, response.text);
    assert.ok(!response.text.includes(apiKey.slice(8)), response.text);
  }
});

test('a body of up to 64 kB is accepted, and a larger one is rejected', async () => {
  const body = JSON.stringify({ apiKey: target.apiKey });
  assert.equal((await verify(body.padEnd(65_536, ' '))).code, 'valid');
  const large = { key: caller.apiKey, body: body.padEnd(65_537, ' ') };
  assertProblem(await contract.call('POST', '/v1/verify', large), 'payload_too_large');
});

test('unknown keys are limited by the given client address, and not at all without one', async () => {
  const limited = await startServer({ env: { SOKU_ADDRESS_RATE_LIMIT: '2' } });
  try {
    const owner = await openSession(limited);
    const { apiKey: key } = await owner.createKey({ name: 'back end', scopes: ['keys:verify'] });
    const there = await Contract.of(limited);
    const codeFor = async (ip?: string) => {
      const body = { apiKey: generateKey(), ...(ip === undefined ? {} : { ip }) };
      const response = await there.call('POST', '/v1/verify', { key, body });
      return resultSchema.parse(response.body).code;
    };
    let network = 0;
    await withinOneMinute(async () => {
      network += 1;
      const [one, two] = [`198.51.${network}.1`, `198.51.${network}.2`];
      const codes = [];
      for (const ip of [one, one, one, two, undefined, undefined, undefined]) codes.push(await codeFor(ip));
      const [u, l] = ['unknown_key', 'rate_limited'];
      assert.deepEqual(codes, [u, u, l, u, u, u, u]);
    });
  } finally {
    await limited.stop();
  }
});

test('for a key of another workspace only id, workspace, name and scopes are returned', async () => {
  const { apiKey } = await bob.createKey({ name: "bob's", expiresAt: '2090-01-01T00:00:00.000Z' });
  const { code, key } = await verify({ apiKey });
  assert.equal(code, 'valid');
  assert.deepEqual(Object.keys(z.looseObject({}).parse(key)).sort(), ['id', 'name', 'scopes', 'workspaceId']);
});

test('with SOKU_VERIFY_SCOPE=workspace, a key of another workspace is unknown and uses none of its limit', async (t) => {
  const apart = await startWithTwoAccounts({ SOKU_VERIFY_SCOPE: 'workspace', SOKU_ADDRESS_RATE_LIMIT: '6' });
  t.after(apart.stop);
  const [here, there] = [
    await openSession(apart.server, adasAccount),
    await openSession(apart.server, bobsAccount),
  ];
  const { apiKey: verifier } = await here.createKey({ name: 'back end', scopes: ['keys:verify'] });
  const own = await here.createKey({ name: 'own' });
  const foreign = await there.createKey({ name: 'foreign', rateLimit: 1 });
  const revoked = await there.createKey({ name: 'revoked' });
  await there.revoke(revoked.key.id);
  const at = await Contract.of(apart.server);
  const verifyFrom = async (apiKey: string, ip: string) =>
    (await at.call('POST', '/v1/verify', { key: verifier, body: { apiKey, ip } })).body;
  let addresses = 0;
  await withinOneMinute(async () => {
    addresses += 1;
    const ip = `192.0.2.${addresses}`;
    const unknownResult = await verifyFrom(generateKey(), ip);
    assert.equal(z.looseObject({ valid: z.boolean() }).parse(await verifyFrom(own.apiKey, ip)).valid, true);
    for (const { apiKey } of [foreign, revoked, foreign, revoked])
      assert.deepEqual(await verifyFrom(apiKey, ip), unknownResult);
    await verifyFrom(generateKey(), ip);
    const limited = z.looseObject({ code: z.string() }).parse(await verifyFrom(foreign.apiKey, ip));
    assert.equal(limited.code, 'rate_limited', 'each one counts as a guess, like an unknown key');
  });
  const usage = await there.call('GET', `/v1/api-keys/${foreign.key.id}/usage`);
  const counts = z.looseObject({ accepted: z.int(), refused: z.int() }).parse(usage.body);
  assert.deepEqual([counts.accepted, counts.refused], [0, 0]);
  assert.equal((await at.call('GET', '/v1/me', { key: foreign.apiKey })).status, 200, 'its limit is unused');
});
