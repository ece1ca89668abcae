import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode } from '@soku/contract/error-codes';
import { generateKey } from '@soku/key';
import type { ApiProblem } from '../../packages/server/src/http/errors.ts';
import { rejectedResponse } from '../../packages/server/src/verification/responses.ts';
import { assertProblem } from '../support/contract.ts';
import type { Program } from '../support/debian.ts';
import type { Fields } from '../support/http.ts';
import { callWithFields } from '../support/http.ts';
import type { HttpResponse } from '../support/person.ts';
import { ProxyFixture, ScriptedSokuFixture } from './fixture.ts';
import type { Recipe } from './proxy.ts';
import { valuesOf } from './recorded-server.ts';

/** Fields of a rejection that every proxy must forward. */
const rejectionFields = [
  'content-type',
  'cache-control',
  'www-authenticate',
  'retry-after',
  'ratelimit',
  'ratelimit-policy',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
];

function fieldsOf(response: HttpResponse): (string | null)[] {
  return rejectionFields.map((name) => response.headers.get(name));
}

/** A client whose key is rejected gets the response of Soku. */
export function testRejections(recipe: Recipe, program: Program, fixture: () => ProxyFixture): void {
  test('a rejection reaches the client unchanged, and the API receives nothing', async () => {
    const { ada, api, soku } = fixture();
    const valid = await ada.createKey({ name: 'valid' });
    const revoked = await ada.createKey({ name: 'revoked' });
    await ada.revoke(revoked.key.id);
    const disabled = await ada.createKey({ name: 'disabled' });
    await ada.call('PATCH', `/v1/api-keys/${disabled.key.id}`, { disabled: true });
    const elsewhere = await ada.createKey({ name: 'elsewhere', allowedAddresses: ['192.0.2.0/24'] });
    const forTests = await ada.createKey({ name: 'for tests', environment: 'test' });
    const cases: [ErrorCode, Fields][] = [
      ['missing_authorization', []],
      ['wrong_header', [['X-API-Key', valid.apiKey]]],
      ['wrong_header', [['X-Soku-Key', valid.apiKey]]],
      ['missing_bearer', [['Authorization', valid.apiKey]]],
      ['unsupported_scheme', [['Authorization', 'Basic YWRhOnNlY3JldA==']]],
      ['malformed_authorization', [['Authorization', `Bearer  ${valid.apiKey}`]]],
      ['key_preview', [['Authorization', `Bearer ${valid.key.preview}`]]],
      ['malformed_key', [['Authorization', `Bearer ${valid.apiKey.slice(0, -1)}`]]],
      ['unknown_key', [['Authorization', `Bearer ${generateKey()}`]]],
      ['revoked_key', [['Authorization', `Bearer ${revoked.apiKey}`]]],
      ['disabled_key', [['Authorization', `Bearer ${disabled.apiKey}`]]],
      ['ip_not_allowed', [['Authorization', `Bearer ${elsewhere.apiKey}`]]],
      ['wrong_environment', [['Authorization', `Bearer ${forTests.apiKey}`]]],
    ];
    const before = api.received.length;
    for (const [code, fields] of cases) {
      for (const method of ['GET', 'POST', 'PUT', 'OPTIONS']) {
        const response = await fixture().send({ method, fields });
        const { message } = assertProblem(response, code);
        const direct = await callWithFields(`${soku.url}/v1/verify`, { fields });
        assert.equal(message, assertProblem(direct, code).message);
        assert.deepEqual(fieldsOf(response), fieldsOf(direct), code);
      }
    }
    assert.equal(api.received.length, before);
  });

  test('two Authorization headers are rejected', async () => {
    const { ada, api } = fixture();
    const { apiKey } = await ada.createKey({ name: 'twice' });
    const before = api.received.length;
    const response = await fixture().send({ key: apiKey, fields: [['Authorization', `Bearer ${apiKey}`]] });
    // nginx rejects it without calling Soku.
    if (recipe.program === 'nginx') assert.equal(response.status, 400);
    else assertProblem(response, 'malformed_authorization');
    assert.equal(api.received.length, before);
  });

  test('a key in the URL is found even if a client forges the original URL (ASVS 14.2.1)', async () => {
    const { apiKey } = await fixture().ada.createKey({ name: 'in the URL' });
    const forged: Fields = ['X-Original-URI', 'X-Forwarded-Uri', 'X-Original-Url'].map((name) => [
      name,
      '/plain',
    ]);
    for (const fields of [[], forged]) {
      const response = await fixture().send({ path: `/orders?page=2&api_key=${apiKey}`, fields });
      assertProblem(response, 'key_in_query');
    }
  });

  test('more headers than Soku accepts are rejected and do not reach the API', async () => {
    const { ada, api } = fixture();
    const { apiKey } = await ada.createKey({ name: 'large headers' });
    const before = api.received.length;
    const fields: Fields = ['X-A', 'X-B', 'X-C'].map((name) => [name, 'x'.repeat(7000)]);
    assert.equal((await fixture().send({ key: apiKey, fields })).status, 400);
    assert.equal(api.received.length, before);
    assert.equal((await fixture().send({ key: apiKey })).status, 200);
  });

  test('limits apply to the key and to the address of the client, not of the proxy', async (t) => {
    const env = { SOKU_KEY_RATE_LIMIT: '2', SOKU_ADDRESS_RATE_LIMIT: '3' };
    const limitedScene = await ProxyFixture.start(recipe, program, env);
    t.after(() => limitedScene.stop());
    const { apiKey } = await limitedScene.ada.createKey({ name: 'busy' });
    const first = await limitedScene.send({ key: apiKey });
    assert.deepEqual([first.status, first.headers.get('x-ratelimit-limit')], [200, '2']);
    const limited = await untilLimited(() => limitedScene.send({ key: apiKey, method: 'POST', body: '{}' }));
    assert.match(limited.headers.get('ratelimit') ?? '', /^"key";r=0;t=\d+$/);

    const other = await limitedScene.ada.createKey({ name: 'other' });
    let guesses = 0;
    const guess = (from: string) => {
      guesses += 1;
      // A different forged address each time.
      const fields: Fields = [['X-Forwarded-For', `10.0.0.${guesses}`]];
      return limitedScene.send({ key: generateKey(), from, fields });
    };
    const stopped = await untilLimited(() => guess('127.0.0.2'));
    assert.match(stopped.headers.get('ratelimit') ?? '', /^"address";r=0;t=\d+$/);
    assertProblem(await guess('127.0.0.3'), 'unknown_key');
    assert.equal((await limitedScene.send({ key: other.apiKey, from: '127.0.0.2' })).status, 200);
  });

  test('rejections for scope, outage and rate limit reach the client with all fields', async (t) => {
    const own = await ScriptedSokuFixture.start(recipe, program);
    t.after(() => own.stop());
    const limit = { 'retry-after': '17', ratelimit: '"key";r=0;t=17', 'ratelimit-policy': '"key";q=5;w=60' };
    const xLimit = { 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '17' };
    const problems: ApiProblem[] = [
      { code: 'insufficient_scope', message: 'This key lacks the scope keys:write.', scope: 'keys:write' },
      {
        code: 'verification_unavailable',
        message: 'The database did not respond; "try again" — später: 日本.',
      },
      { code: 'rate_limited', message: 'Too many requests with this key.', headers: { ...limit, ...xLimit } },
    ];
    for (const problem of problems) {
      const rejection = rejectedResponse(problem, 'req_standin', Date.now());
      own.standIn.respond = () => ({ ...rejection });
      const body = JSON.stringify({ order: 'y'.repeat(100_000) });
      const response = await own.send({
        method: 'POST',
        key: 'any',
        body,
        fields: [['X-Forwarded-For', '10.9.8.7']],
      });
      assert.equal(assertProblem(response, problem.code).message, problem.message);
      assert.equal(response.headers.get('x-request-id'), 'req_standin');
      assert.deepEqual(
        fieldsOf(response),
        rejectionFields.map((name) => rejection.fields[name] ?? null),
        problem.code,
      );
      assert.deepEqual(
        [...response.headers.keys()].filter((name) => name.includes('soku')),
        [],
      );
      const { method, url, body: sentBody } = own.standIn.last;
      assert.deepEqual(
        [method, url.replace(/\?$/, ''), recipe.sendsBody === true || sentBody.length === 0],
        ['GET', '/v1/verify', true],
        'the request to Soku',
      );
      assert.deepEqual(valuesOf(own.standIn.last, 'x-forwarded-for'), ['127.0.0.1']);
    }
    assert.equal(own.api.received.length, 0);
  });
}

/** Sends requests until the limit is reached; at the end of a minute it takes one more request. */
async function untilLimited(send: () => Promise<HttpResponse>): Promise<HttpResponse> {
  for (let i = 0; i < 10; i++) {
    const response = await send();
    if (response.status !== 429) continue;
    assertProblem(response, 'rate_limited');
    assert.match(response.headers.get('retry-after') ?? '', /^\d+$/);
    return response;
  }
  throw new Error('ten requests were not limited');
}
