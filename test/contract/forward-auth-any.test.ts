/** ANY /v1/verify/*, as Envoy asks it: the path of the original request appended, its method kept, 200 for a yes. */
import assert from 'node:assert/strict';
import { METHODS } from 'node:http';
import { test } from 'node:test';
import { assertProblem } from '../support/contract.ts';
import { exchange, type Fields } from '../support/http.ts';
import { HttpSocket } from '../support/http-socket.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const ada = await openSession(server);
const { apiKey, key } = await ada.makeKey({ name: 'Envoy', scopes: ['keys:read'] });
const authorization = ['Authorization', `Bearer ${apiKey}`] as const;

const ask = (path: string, fields: Fields, more: { method?: string; body?: string } = {}) =>
  exchange(`${server.url}/v1/verify${path}`, { ...more, fields });

/** What differs from one answer to the next. */
const steady = (text: string) => text.replace(/req_[0-9a-z]+/g, 'req_').replace(/"timestamp":"[^"]+"/g, '');

test('each method and path gives the answer of GET /v1/verify, with 200 in place of 204', async () => {
  const { headers: expected } = await exchange(`${server.url}/v1/verify`, { fields: [authorization] });
  const identity = [...expected.keys()].filter((name) =>
    /soku|policy|cache|nosniff|content-type-options/.test(name),
  );
  assert.ok(identity.length >= 6, String(identity));
  const paths = [
    ...['/', '/orders/7?page=2', '//x/../y/%2e%2e', '/v1/api-keys', '/caf%E9?q=%E9', '/100%', '/%zz#'],
    ...[`/${'a'.repeat(4000)}`, `/${'%E9'.repeat(2700)}`],
  ];
  const connection = await HttpSocket.open(server.url);
  for (const method of METHODS.filter((name) => name !== 'CONNECT')) {
    for (const path of method === 'GET' ? paths : paths.slice(1, 2)) {
      const head = `${method} /v1/verify${path} HTTP/1.1\r\nHost: api\r\nContent-Length: 0\r\n`;
      const sent = `${head}Authorization: Bearer ${apiKey}\r\n\r\n`;
      const answer = await connection.send(sent, method === 'HEAD');
      assert.equal(answer.status, 200, `${method} ${path}`);
      assert.equal(answer.body, '');
      assert.equal(answer.headers.get('x-soku-key-id'), key.id);
      for (const name of identity) assert.equal(answer.headers.get(name), expected.get(name), name);
    }
  }
  connection.close();
});

test('a rejection is the one of GET /v1/verify, for a browser of any origin as well', async () => {
  const revoked = await ada.makeKey({ name: 'revoked' });
  await ada.revoke(revoked.key.id);
  const browser: Fields = [
    ['Origin', 'https://elsewhere.example'],
    ['Sec-Fetch-Site', 'cross-site'],
    ['Cookie', 'a=b'],
  ];
  for (const [code, fields] of [
    ['missing_authorization', []],
    ['revoked_key', [['Authorization', `Bearer ${revoked.apiKey}`]]],
    ['key_preview', [['Authorization', `Bearer ${key.preview}`]]],
    ['missing_bearer', [['Authorization', apiKey]]],
  ] as const) {
    const direct = await exchange(`${server.url}/v1/verify`, { fields });
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
      const answer = await ask('/orders', [...fields, ...browser], { method });
      assertProblem(answer, code);
      assert.equal(steady(answer.text), steady(direct.text));
      for (const name of ['www-authenticate', 'x-soku-status', 'x-soku-error']) {
        assert.equal(steady(answer.headers.get(name) ?? ''), steady(direct.headers.get(name) ?? ''));
      }
    }
  }
});

test('the query is of the original request: it demands nothing, and a key in it is found', async () => {
  assert.equal((await ask('/orders?scope=keys:write&workspace=x', [authorization])).status, 200);
  assertProblem(await ask(`/orders?api_key=${apiKey}`, []), 'key_in_query');
  assertProblem(await ask(`/caf%E9?api_key=${apiKey}`, []), 'key_in_query');
  assertProblem(await ask(`/orders?api_key=${apiKey}`, [['X-Original-URI', '/plain']]), 'key_in_query');
  assert.equal((await ask(`/orders?api_key=${apiKey}`, [authorization])).status, 200);
});

test('a preflight is told that keys do not belong into browsers', async () => {
  const answer = await ask('/orders', [['Access-Control-Request-Method', 'PUT']], { method: 'OPTIONS' });
  assert.match(assertProblem(answer, 'missing_authorization').message, /CORS preflight/);
});

test('a body of any type and size is not read, and the connection goes on', async () => {
  for (const [type, body] of [
    ['application/json', '{"half":'],
    ['text/plain', 'x'.repeat(500_000)],
    ['multipart/form-data; boundary=x', '--x'],
    ['application/grpc', '\0\0\0'],
  ] as const) {
    const answer = await ask('/upload', [authorization, ['Content-Type', type]], { method: 'POST', body });
    assert.equal(answer.status, 200, type);
  }
  const connection = await HttpSocket.open(server.url);
  const post = `POST /v1/verify/x HTTP/1.1\r\nHost: api\r\nContent-Length: 5\r\nAuthorization: Bearer ${apiKey}\r\n\r\nhello`;
  for (let i = 0; i < 3; i++) assert.equal((await connection.send(post)).status, 200);
  connection.close();
});

test('it counts as a use of the key, once', async () => {
  const once = await ada.makeKey({ name: 'once', rateLimit: 2 });
  const fields: Fields = [['Authorization', `Bearer ${once.apiKey}`]];
  assert.equal((await ask('/a', fields)).headers.get('x-ratelimit-remaining'), '1');
  assert.equal((await ask('/b', fields, { method: 'PUT' })).headers.get('x-ratelimit-remaining'), '0');
});

test('only what is below the path is taken', async () => {
  assert.equal((await ask('ing', [authorization])).status, 404);
  assert.equal((await ask('', [authorization])).status, 204);
  assert.equal((await ask('', [authorization], { method: 'PUT' })).status, 404);
});
