/** ANY /v1/verify/*, as Envoy calls it: it appends the original path and keeps the method. 200 means accepted. */
import assert from 'node:assert/strict';
import { METHODS } from 'node:http';
import { test } from 'node:test';
import { assertProblem } from '../support/contract.ts';
import { callWithFields, type Fields } from '../support/http.ts';
import { HttpSocket } from '../support/http-socket.ts';
import { withinOneMinute } from '../support/limits.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const ada = await openSession(server);
const { apiKey, key } = await ada.createKey({ name: 'Envoy', scopes: ['keys:read'] });
const authorization = ['Authorization', `Bearer ${apiKey}`] as const;

const verify = (path: string, fields: Fields, more: { method?: string; body?: string } = {}) =>
  callWithFields(`${server.url}/v1/verify${path}`, { ...more, fields });

/** Removes what differs from one response to the next. */
const normalize = (text: string) =>
  text.replace(/req_[0-9a-z]+/g, 'req_').replace(/"timestamp":"[^"]+"/g, '');

test('each method and path gets the response of GET /v1/verify, with 200 instead of 204', async () => {
  const { headers: expected } = await callWithFields(`${server.url}/v1/verify`, { fields: [authorization] });
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
      const response = await connection.send(sent, method === 'HEAD');
      assert.equal(response.status, 200, `${method} ${path}`);
      assert.equal(response.body, '');
      assert.equal(response.headers.get('x-soku-key-id'), key.id);
      for (const name of identity) assert.equal(response.headers.get(name), expected.get(name), name);
    }
  }
  connection.close();
});

test('rejections are the same as those of GET /v1/verify, also for a browser of any origin', async () => {
  const revoked = await ada.createKey({ name: 'revoked' });
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
    const expected = await callWithFields(`${server.url}/v1/verify`, { fields });
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS']) {
      const response = await verify('/orders', [...fields, ...browser], { method });
      assertProblem(response, code);
      assert.equal(normalize(response.text), normalize(expected.text));
      for (const name of ['www-authenticate', 'x-soku-status', 'x-soku-error']) {
        assert.equal(
          normalize(response.headers.get(name) ?? ''),
          normalize(expected.headers.get(name) ?? ''),
        );
      }
    }
  }
});

test('the query belongs to the original request: it sets no options, and a key in it is detected', async () => {
  assert.equal((await verify('/orders?scope=keys:write&workspace=x', [authorization])).status, 200);
  assertProblem(await verify(`/orders?api_key=${apiKey}`, []), 'key_in_query');
  assertProblem(await verify(`/caf%E9?api_key=${apiKey}`, []), 'key_in_query');
  assertProblem(await verify(`/orders?api_key=${apiKey}`, [['X-Original-URI', '/plain']]), 'key_in_query');
  assert.equal((await verify(`/orders?api_key=${apiKey}`, [authorization])).status, 200);
});

test('the error for a CORS preflight explains that keys must not be used in browsers', async () => {
  const response = await verify('/orders', [['Access-Control-Request-Method', 'PUT']], { method: 'OPTIONS' });
  assert.match(assertProblem(response, 'missing_authorization').message, /CORS preflight/);
});

test('a body of any type and size is ignored, and the connection stays usable', async () => {
  for (const [type, body] of [
    ['application/json', '{"half":'],
    ['text/plain', 'x'.repeat(500_000)],
    ['multipart/form-data; boundary=x', '--x'],
    ['application/grpc', '\0\0\0'],
  ] as const) {
    const response = await verify('/upload', [authorization, ['Content-Type', type]], {
      method: 'POST',
      body,
    });
    assert.equal(response.status, 200, type);
  }
  const connection = await HttpSocket.open(server.url);
  const post = `POST /v1/verify/x HTTP/1.1\r\nHost: api\r\nContent-Length: 5\r\nAuthorization: Bearer ${apiKey}\r\n\r\nhello`;
  for (let i = 0; i < 3; i++) assert.equal((await connection.send(post)).status, 200);
  connection.close();
});

test('each request counts once against the limit of the key', async () => {
  await withinOneMinute(async () => {
    const limited = await ada.createKey({ name: 'once', rateLimit: 2 });
    const fields: Fields = [['Authorization', `Bearer ${limited.apiKey}`]];
    assert.equal((await verify('/a', fields)).headers.get('x-ratelimit-remaining'), '1');
    assert.equal((await verify('/b', fields, { method: 'PUT' })).headers.get('x-ratelimit-remaining'), '0');
  });
});

test('only paths below /v1/verify/ are handled', async () => {
  assert.equal((await verify('ing', [authorization])).status, 404);
  assert.equal((await verify('', [authorization])).status, 204);
  assert.equal((await verify('', [authorization], { method: 'PUT' })).status, 404);
});
