/** POST /v1/verify, as a back end asks it that took a key from a request itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKey } from '@soku/key';
import { z } from 'zod';
import { assertProblem, Contract } from '../support/contract.ts';
import { startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';
import { ada as adasAccount, bob as bobsAccount, startWithTwoAccounts } from '../support/two-accounts.ts';
import { mistakesWith } from './wrong-credentials.ts';

const server = await sharedServer();
const [ada, bob] = [await openSession(server, adasAccount), await openSession(server, bobsAccount)];
const contract = await Contract.of(server);
const asking = await ada.makeKey({ name: 'back end', scopes: ['keys:verify'], rateLimit: 1 });
const asked = await ada.makeKey({ name: 'Größe', scopes: ['keys:read'], rateLimit: 5 });

const answerSchema = z.strictObject({
  valid: z.boolean(),
  code: z.string(),
  message: z.string().optional(),
  key: z.unknown().optional(),
  rateLimit: z.unknown().optional(),
  retryAfterSeconds: z.int().optional(),
});

async function verify(body: unknown, key = asking.apiKey) {
  const answer = await contract.call('POST', '/v1/verify', { key, body });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  assert.ok(!answer.text.includes(asked.apiKey));
  return answerSchema.parse(answer.body);
}

test('a good key is told with who it is and where it stands; the limit of the asking key does not count', async () => {
  for (const remaining of [4, 3, 2]) {
    const { rateLimit, ...rest } = await verify({ apiKey: asked.apiKey });
    const { id, name, scopes, expiresAt } = asked.key;
    const workspace = await contract.call('GET', '/v1/workspace', { as: ada });
    const { id: workspaceId } = z.looseObject({ id: z.string() }).parse(workspace.body);
    assert.deepEqual(rest, { valid: true, code: 'valid', key: { id, workspaceId, name, scopes, expiresAt } });
    const standing = z.strictObject({ limit: z.int(), remaining: z.int(), resetSeconds: z.int() });
    const told = standing.parse(rateLimit);
    assert.deepEqual([told.limit, told.remaining], [5, remaining]);
  }
});

test('a key that is over its limit is refused until the window moves on', async () => {
  const { apiKey } = await ada.makeKey({ name: 'twice', rateLimit: 2 });
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

test('a scope that the key lacks is told, and burns nothing of its limit', async () => {
  const { apiKey } = await ada.makeKey({ name: 'once', scopes: ['keys:read'], rateLimit: 1 });
  for (let i = 0; i < 3; i++) {
    const refused = await verify({ apiKey, scopes: ['keys:read', 'keys:write'] });
    assert.equal(refused.code, 'insufficient_scope');
    assert.match(refused.message ?? '', /keys:write/);
  }
  assert.equal((await verify({ apiKey, scopes: ['keys:read'] })).code, 'valid');
});

test('what is no key is told with the code and the message that its holder would get', async () => {
  const aboutTheKey = ['missing_prefix', 'key_preview', 'malformed_key', 'mistyped_key'];
  for (const [code, mistakes] of mistakesWith(asked.apiKey)) {
    if (!aboutTheKey.includes(code)) continue;
    for (const { what, fields, says } of mistakes) {
      const apiKey = fields[0]?.[1].replace('Bearer ', '') ?? '';
      const answer = await verify({ apiKey });
      assert.deepEqual([answer.valid, answer.code, answer.key], [false, code, undefined], what);
      assert.match(answer.message ?? '', says, what);
    }
  }
  assert.equal((await verify({ apiKey: generateKey() })).code, 'unknown_key');
  assert.equal((await verify({ apiKey: '' })).valid, false);
});

test('a revoked key is refused from the moment on at which the revoke returned', async () => {
  const { apiKey, key } = await ada.makeKey({ name: 'to revoke' });
  assert.equal((await verify({ apiKey })).code, 'valid');
  await ada.revoke(key.id);
  assert.equal((await verify({ apiKey })).code, 'revoked_key');
});

test('keys of every workspace are answered for, because their holders are the clients of one API', async () => {
  const { apiKey, key } = await bob.makeKey({ name: "bob's" });
  const answer = await verify({ apiKey });
  assert.equal(z.looseObject({ id: z.string() }).parse(answer.key).id, key.id);
});

test('only a key with the scope keys:verify may ask', async () => {
  const body = { apiKey: asked.apiKey };
  const plain = await contract.call('POST', '/v1/verify', { key: asked.apiKey, body });
  assertProblem(plain, 'insufficient_scope');
  assertProblem(await contract.call('POST', '/v1/verify', { body }), 'missing_authorization');
  assertProblem(await contract.call('POST', '/v1/verify', { as: ada, body }), 'missing_authorization');
  assertProblem(await contract.call('POST', '/v1/verify', { key: generateKey(), body }), 'unknown_key');
});

test('a body that is not right is refused with its path, and not repeated', async () => {
  const { apiKey } = asked;
  for (const [body, path] of [
    [{}, 'apiKey'],
    [{ apiKey: 1 }, 'apiKey'],
    [{ apiKey: `${apiKey}${'a'.repeat(20_000)}` }, 'apiKey'],
    [{ apiKey, scopes: ['admin'] }, 'scopes.0'],
    [{ apiKey, ip: '999.1.1.1' }, 'ip'],
    [{ apiKey, ip: `${apiKey}` }, 'ip'],
    [{ apiKey, [apiKey]: 1 }, 'body'],
  ] as const) {
    const answer = await contract.call('POST', '/v1/verify', { key: asking.apiKey, body });
    const { details } = assertProblem(answer, 'invalid_request');
    assert.equal(details?.[0]?.path, path, answer.text);
    assert.ok(!answer.text.includes(apiKey.slice(8)), answer.text);
  }
});

test('unknown keys are limited by the address that is told with them, and by none when none is', async () => {
  const limited = await startServer({ env: { SOKU_ADDRESS_RATE_LIMIT: '2' } });
  try {
    const owner = await openSession(limited);
    const { apiKey: key } = await owner.makeKey({ name: 'back end', scopes: ['keys:verify'] });
    const there = await Contract.of(limited);
    const codes = [];
    for (const ip of ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2', undefined, undefined, undefined]) {
      const body = { apiKey: generateKey(), ...(ip === undefined ? {} : { ip }) };
      const answer = await there.call('POST', '/v1/verify', { key, body });
      codes.push(answerSchema.parse(answer.body).code);
    }
    const [u, l] = ['unknown_key', 'rate_limited'];
    assert.deepEqual(codes, [u, u, l, u, u, u, u]);
  } finally {
    await limited.stop();
  }
});

test('of a key of another workspace only id, workspace, name and scopes are returned', async () => {
  const { apiKey } = await bob.makeKey({ name: "bob's", expiresAt: '2090-01-01T00:00:00.000Z' });
  const { code, key } = await verify({ apiKey });
  assert.equal(code, 'valid');
  assert.deepEqual(Object.keys(z.looseObject({}).parse(key)).sort(), ['id', 'name', 'scopes', 'workspaceId']);
});

test('with SOKU_VERIFY_SCOPE=workspace a key of another workspace is unknown, and nothing of it is used up', async (t) => {
  const apart = await startWithTwoAccounts({ SOKU_VERIFY_SCOPE: 'workspace', SOKU_ADDRESS_RATE_LIMIT: '6' });
  t.after(apart.stop);
  const [here, there] = [
    await openSession(apart.server, adasAccount),
    await openSession(apart.server, bobsAccount),
  ];
  const { apiKey: verifier } = await here.makeKey({ name: 'back end', scopes: ['keys:verify'] });
  const own = await here.makeKey({ name: 'own' });
  const foreign = await there.makeKey({ name: 'foreign', rateLimit: 1 });
  const dead = await there.makeKey({ name: 'dead' });
  await there.revoke(dead.key.id);
  const at = await Contract.of(apart.server);
  const ask = async (apiKey: string, ip: string) =>
    (await at.call('POST', '/v1/verify', { key: verifier, body: { apiKey, ip } })).body;
  const nothing = await ask(generateKey(), '192.0.2.1');
  assert.equal(z.looseObject({ valid: z.boolean() }).parse(await ask(own.apiKey, '192.0.2.1')).valid, true);
  for (const { apiKey } of [foreign, dead, foreign, dead]) {
    assert.deepEqual(await ask(apiKey, '192.0.2.1'), nothing);
  }
  await ask(generateKey(), '192.0.2.1');
  const limited = z.looseObject({ code: z.string() }).parse(await ask(foreign.apiKey, '192.0.2.1'));
  assert.equal(limited.code, 'rate_limited', 'each counted as a guess, as an unknown key does');
  const usage = await there.call('GET', `/v1/api-keys/${foreign.key.id}/usage`);
  const counts = z.looseObject({ accepted: z.int(), refused: z.int() }).parse(usage.body);
  assert.deepEqual([counts.accepted, counts.refused], [0, 0]);
  assert.equal((await at.call('GET', '/v1/me', { key: foreign.apiKey })).status, 200, 'its quota is whole');
});
