/** Every 401 error, on every endpoint that takes a key. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, errorCodes } from '@soku/contract/error-codes';
import { createdKeySchema } from '@soku/contract/keys';
import { meSchema } from '@soku/contract/verification';
import { assertProblem, Contract, eventually } from '../support/contract.ts';
import type { Fields } from '../support/http.ts';
import { withoutUse } from '../support/key.ts';
import { withDateSoon } from '../support/key-calls.ts';
import type { HttpResponse } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';
import { type Mistake, mistakesWith } from './wrong-credentials.ts';

const server = await sharedServer();
const contract = await Contract.of(server);
const ada = await openSession(server);
const { apiKey, key } = await ada.createKey({ name: 'good', scopes: ['keys:read'] });
const endpoints = ['/v1/me', '/v1/verify', '/v1/api-keys'];

/** RFC 6750 section 3 allows only printable ASCII without quotes and backslashes in `error_description`. */
function assertChallenge(response: HttpResponse, code: ErrorCode): void {
  const challenge = response.headers.get('www-authenticate') ?? '';
  const withoutError = ['missing_authorization', 'wrong_header', 'missing_bearer', 'unsupported_scheme'];
  if (withoutError.includes(code)) {
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

/** nginx forwards neither the body nor the status, so headers contain both as well. */
function assertForwardHeaders(response: HttpResponse): void {
  assert.equal(response.headers.get('x-soku-status'), '401');
  const error = response.headers.get('x-soku-error') ?? '';
  assert.match(error, /^[\x20-\x7e]{1,999}$/);
  assert.deepEqual(JSON.parse(error), response.body);
}

function assertContainsNoKey(response: HttpResponse, secret: string): void {
  const content = response.text + JSON.stringify([...response.headers]);
  for (let at = 8; at + 6 <= secret.length; at++) {
    assert.ok(!content.includes(secret.slice(at, at + 6)), `${content} contains a part of the key`);
  }
}

async function assertRejected(path: string, code: ErrorCode, { fields, pattern }: Mistake): Promise<void> {
  const response = await contract.call('GET', path, { fields });
  const { message } = assertProblem(response, code);
  assert.equal(response.status, 401);
  assert.equal(errorCodes[code].type, 'authentication_error');
  assert.match(message, pattern);
  assertChallenge(response, code);
  assertContainsNoKey(response, apiKey);
  if (path.startsWith('/v1/verify')) assertForwardHeaders(response);
  else assert.equal(response.headers.get('x-soku-error'), null);
}

for (const [code, mistakes] of mistakesWith(apiKey)) {
  for (const mistake of mistakes) {
    test(`rejected with ${code}: ${mistake.what}`, async () => {
      for (const endpoint of endpoints) await assertRejected(endpoint + (mistake.query ?? ''), code, mistake);
    });
  }
}

test('one mistyped character is detected at any position of a key', async () => {
  for (let at = 8; at < apiKey.length; at++) {
    const typed = apiKey.slice(0, at) + (apiKey[at] === 'a' ? 'b' : 'a') + apiKey.slice(at + 1);
    assertProblem(await contract.call('GET', '/v1/me', { key: typed }), 'mistyped_key');
  }
});

test('rejected with revoked_key: a revoked key, with the time of the revocation', async () => {
  const revoked = await ada.createKey({ name: 'revoked' });
  const { revokedAt } = await ada.revoke(revoked.key.id);
  for (const endpoint of endpoints) {
    await assertRejected(endpoint, 'revoked_key', {
      what: '',
      fields: [['Authorization', `Bearer ${revoked.apiKey}`]],
      pattern: new RegExp(`revoked at ${revokedAt}`),
    });
  }
});

test('rejected with expired_key: a key after its expiry, with the time of the expiry', async () => {
  const { expiresAt, body } = await withDateSoon((date) =>
    ada.call('POST', '/v1/api-keys', { name: 'short', expiresAt: date }),
  );
  const short = createdKeySchema.parse(body);
  const first = await contract.call('GET', '/v1/me', { key: short.apiKey });
  assert.ok(first.status === 200 || Date.now() >= Date.parse(expiresAt), 'it is valid before its expiry');
  await eventually(
    () => contract.call('GET', '/v1/me', { key: short.apiKey }),
    (response) => response.status !== 200,
  );
  assert.ok(Date.now() >= Date.parse(expiresAt), 'it is not rejected before its expiry');
  for (const endpoint of endpoints) {
    await assertRejected(endpoint, 'expired_key', {
      what: '',
      fields: [['Authorization', `Bearer ${short.apiKey}`]],
      pattern: new RegExp(`expired at ${expiresAt}`),
    });
  }
});

test('the scheme is case-insensitive', async () => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) {
    for (const endpoint of endpoints) {
      const fields: Fields = [['Authorization', `${scheme} ${apiKey}`]];
      const response = await contract.call('GET', endpoint, { fields });
      assert.ok([200, 204].includes(response.status), response.text);
    }
  }
});

test('white space around the header value is ignored', async () => {
  const response = await contract.call('GET', '/v1/me', {
    fields: [['Authorization', `  Bearer ${apiKey} `]],
  });
  assert.equal(response.status, 200);
});

test('a valid key gets its own details', async () => {
  const response = await contract.call('GET', '/v1/me', { key: apiKey });
  const own = meSchema.parse(response.body).key;
  const { lastUsedAt } = own;
  assert.deepEqual(withoutUse(own), key);
  assert.ok(Math.abs(Date.now() - Date.parse(lastUsedAt ?? '')) < 60_000, 'this request is its last use');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assertContainsNoKey(response, apiKey);
});

test('with an Authorization header, keys in other places are ignored', async () => {
  const fields: Fields = [
    ['X-API-Key', 'something'],
    ['Authorization', `Bearer ${apiKey}`],
  ];
  assert.equal((await contract.call('GET', `/v1/me?api_key=${apiKey}`, { fields })).status, 200);
  assert.equal((await contract.call('GET', `/v1/verify?token=${apiKey}`, { fields })).status, 204);
  const wrong: Fields = [['Authorization', `Basic ${apiKey}`]];
  assertProblem(await contract.call('GET', `/v1/me?key=${apiKey}`, { fields: wrong }), 'unsupported_scheme');
});

test('HEAD gets the same response as GET, without a body', async () => {
  for (const endpoint of endpoints) {
    const accepted = await contract.call('HEAD', endpoint, { key: apiKey });
    assert.ok([200, 204].includes(accepted.status));
    const rejected = await contract.call('HEAD', endpoint, { key: 'sk_live_' });
    assert.equal(rejected.status, 401);
    assertChallenge(rejected, 'malformed_key');
  }
  const missing = await contract.call('HEAD', '/v1/verify');
  assert.equal(JSON.parse(missing.headers.get('x-soku-error') ?? '').error.code, 'missing_authorization');
});
