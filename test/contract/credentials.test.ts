/** The whole 401 table, at each place that takes a key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, errorCodes } from '@soku/contract/error-codes';
import { meSchema } from '@soku/contract/verification';
import { assertProblem, Contract, eventually } from '../support/contract.ts';
import type { Fields } from '../support/http.ts';
import type { HttpResponse } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';
import { type Mistake, mistakesWith } from './wrong-credentials.ts';

const server = await sharedServer();
const contract = await Contract.of(server);
const ada = await openSession(server);
const { apiKey, key } = await ada.makeKey({ name: 'good', scopes: ['keys:read'] });
const endpoints = ['/v1/me', '/v1/verify', '/v1/api-keys'];

/** `error_description` is what RFC 6750 section 3 allows: printable ASCII without quotes and backslashes. */
function assertChallenge(answer: HttpResponse, code: ErrorCode): void {
  const challenge = answer.headers.get('www-authenticate') ?? '';
  const alone = ['missing_authorization', 'wrong_header', 'missing_bearer', 'unsupported_scheme'];
  if (alone.includes(code)) {
    assert.equal(challenge, 'Bearer realm="soku"');
    return;
  }
  const error = ['malformed_authorization', 'key_in_query'].includes(code)
    ? 'invalid_request'
    : 'invalid_token';
  const description = /^Bearer realm="soku", error="(\w+)", error_description="([ !#-[\]-~]{20,})"$/;
  const [, named] = description.exec(challenge) ?? [];
  assert.equal(named, error, challenge);
}

/** nginx hands on neither the body nor the status, so both come in headers as well. */
function assertForwardHeaders(answer: HttpResponse): void {
  assert.equal(answer.headers.get('x-soku-status'), '401');
  const error = answer.headers.get('x-soku-error') ?? '';
  assert.match(error, /^[\x20-\x7e]{1,999}$/);
  assert.deepEqual(JSON.parse(error), answer.body);
}

function assertTellsNothing(answer: HttpResponse, secret: string): void {
  const told = answer.text + JSON.stringify([...answer.headers]);
  for (let at = 8; at + 6 <= secret.length; at++) {
    assert.ok(!told.includes(secret.slice(at, at + 6)), `a part of the key is in ${told}`);
  }
}

async function assertRefused(path: string, code: ErrorCode, { fields, says }: Mistake): Promise<void> {
  const answer = await contract.call('GET', path, { fields });
  const { message } = assertProblem(answer, code);
  assert.equal(answer.status, 401);
  assert.equal(errorCodes[code].type, 'authentication_error');
  assert.match(message, says);
  assertChallenge(answer, code);
  assertTellsNothing(answer, apiKey);
  if (path.startsWith('/v1/verify')) assertForwardHeaders(answer);
  else assert.equal(answer.headers.get('x-soku-error'), null);
}

for (const [code, mistakes] of mistakesWith(apiKey)) {
  for (const mistake of mistakes) {
    test(`refused with ${code}: ${mistake.what}`, async () => {
      for (const endpoint of endpoints) await assertRefused(endpoint + (mistake.query ?? ''), code, mistake);
    });
  }
}

test('a character typed wrong is found at every place of a key', async () => {
  for (let at = 8; at < apiKey.length; at++) {
    const typed = apiKey.slice(0, at) + (apiKey[at] === 'a' ? 'b' : 'a') + apiKey.slice(at + 1);
    assertProblem(await contract.call('GET', '/v1/me', { key: typed }), 'mistyped_key');
  }
});

test('refused with revoked_key: a revoked key, which is told when', async () => {
  const dead = await ada.makeKey({ name: 'dead' });
  const { revokedAt } = await ada.revoke(dead.key.id);
  for (const endpoint of endpoints) {
    await assertRefused(endpoint, 'revoked_key', {
      what: '',
      fields: [['Authorization', `Bearer ${dead.apiKey}`]],
      says: new RegExp(`revoked at ${revokedAt}`),
    });
  }
});

test('refused with expired_key: a key from its date on, which is told', async () => {
  const expiresAt = new Date(Date.now() + 1000).toISOString();
  const short = await ada.makeKey({ name: 'short', expiresAt });
  const first = await contract.call('GET', '/v1/me', { key: short.apiKey });
  assert.equal(first.status, 200, 'before its date the key is good');
  await eventually(
    () => contract.call('GET', '/v1/me', { key: short.apiKey }),
    (answer) => answer.status !== 200,
  );
  assert.ok(Date.now() >= Date.parse(expiresAt), 'it is not refused before its date');
  for (const endpoint of endpoints) {
    await assertRefused(endpoint, 'expired_key', {
      what: '',
      fields: [['Authorization', `Bearer ${short.apiKey}`]],
      says: new RegExp(`expired at ${expiresAt}`),
    });
  }
});

test('the scheme is taken in any case', async () => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) {
    for (const endpoint of endpoints) {
      const fields: Fields = [['Authorization', `${scheme} ${apiKey}`]];
      const answer = await contract.call('GET', endpoint, { fields });
      assert.ok([200, 204].includes(answer.status), answer.text);
    }
  }
});

test('white space around the value belongs to HTTP, not to the value', async () => {
  const answer = await contract.call('GET', '/v1/me', { fields: [['Authorization', `  Bearer ${apiKey} `]] });
  assert.equal(answer.status, 200);
});

test('a good key is told what it is', async () => {
  const answer = await contract.call('GET', '/v1/me', { key: apiKey });
  const { lastUsedAt, ...told } = meSchema.parse(answer.body).key;
  assert.deepEqual({ ...told, lastUsedAt: null }, key);
  assert.ok(
    Math.abs(Date.now() - Date.parse(lastUsedAt ?? '')) < 60_000,
    'this very request is its last use',
  );
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  assertTellsNothing(answer, apiKey);
});

test('with an Authorization header, keys elsewhere do not matter', async () => {
  const fields: Fields = [
    ['X-API-Key', 'something'],
    ['Authorization', `Bearer ${apiKey}`],
  ];
  assert.equal((await contract.call('GET', `/v1/me?api_key=${apiKey}`, { fields })).status, 200);
  assert.equal((await contract.call('GET', `/v1/verify?token=${apiKey}`, { fields })).status, 204);
  const wrong: Fields = [['Authorization', `Basic ${apiKey}`]];
  assertProblem(await contract.call('GET', `/v1/me?key=${apiKey}`, { fields: wrong }), 'unsupported_scheme');
});

test('HEAD is answered as GET is, without a body', async () => {
  for (const endpoint of endpoints) {
    const good = await contract.call('HEAD', endpoint, { key: apiKey });
    assert.ok([200, 204].includes(good.status));
    const bad = await contract.call('HEAD', endpoint, { key: 'sk_live_' });
    assert.equal(bad.status, 401);
    assertChallenge(bad, 'malformed_key');
  }
  const told = await contract.call('HEAD', '/v1/verify');
  assert.equal(JSON.parse(told.headers.get('x-soku-error') ?? '').error.code, 'missing_authorization');
});
