/** What the gateway rejects, and how. */
import assert from 'node:assert/strict';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { errorSchema } from '@soku/contract/errors';
import { generateKey } from '@soku/key';
import { assertProblem } from '../support/contract.ts';
import { callWithFields, type Fields } from '../support/http.ts';
import { HttpSocket } from '../support/http-socket.ts';
import { withinOneMinute } from '../support/limits.ts';
import { openSession } from '../support/session.ts';
import { behindGateway, startGateway, Upstream } from './gateway.ts';

const upstream = await Upstream.start();
const { server, gateway } = await startGateway(upstream.url, { LOG_LEVEL: 'trace' });
const ada = await openSession(server);
const { apiKey } = await ada.createKey({ name: 'good' });
const authorization = (key: string) => ['Authorization', `Bearer ${key}`] as const;
after(async () => {
  await server.stop();
  await upstream.stop();
});

/** Asserts that `call` sends nothing to the upstream. */
async function withoutUpstream<T>(call: () => Promise<T>): Promise<T> {
  const before = upstream.requests.length;
  const response = await call();
  assert.equal(upstream.requests.length, before, 'the upstream received no request');
  return response;
}

/** Status, fields and body without the parts that differ per request. */
function comparable({ status, headers, text }: Awaited<ReturnType<typeof callWithFields>>) {
  const names = [
    'content-type',
    'cache-control',
    'www-authenticate',
    'x-content-type-options',
    'retry-after',
  ];
  const { requestId, timestamp, ...error } = errorSchema.parse(JSON.parse(text)).error;
  assert.ok(requestId === headers.get('x-request-id') && timestamp !== '');
  return { status, error, fields: names.map((name) => headers.get(name)) };
}

test('the gateway rejects invalid credentials with the same response as the main port', async () => {
  const requests: [string, Fields][] = [
    ['/', []],
    [`/?api_key=${apiKey}`, []],
    ['/', [['X-API-Key', apiKey]]],
    ['/', [['Authorization', apiKey]]],
    ['/', [['Authorization', 'Basic YTpi']]],
    ['/', [['Authorization', `Bearer  ${apiKey}`]]],
    ['/', [authorization(apiKey), authorization(apiKey)]],
    ['/', [authorization('sk_live_abc...xyz')]],
    ['/', [authorization(apiKey.slice(0, -1))]],
    ['/', [authorization(generateKey())]],
    ['/', [authorization(generateKey({ prefix: 'other_' }))]],
  ];
  for (const [target, fields] of requests) {
    const rejected = await withoutUpstream(() => callWithFields(gateway + target, { fields }));
    const main = await callWithFields(`${server.url}/v1/verify${target.slice(1)}`, { fields });
    assert.deepEqual(comparable(rejected), comparable(main));
    assert.equal(rejected.status, 401);
  }
});

test('a forged identity does not replace a key', async () => {
  const forged = [
    'X-Soku-Key-Id',
    'X-Soku-Workspace-Id',
    'X-Original-URI',
    'X-Forwarded-Uri',
    'X-Forwarded-For',
  ];
  const fields: Fields = forged.map((name) => [name, 'key_x']);
  assertProblem(await withoutUpstream(() => callWithFields(gateway, { fields })), 'missing_authorization');
  const cookie = await withoutUpstream(() => callWithFields(gateway, { fields: [['Cookie', ada.cookie]] }));
  assertProblem(cookie, 'missing_authorization');
});

test('a revoked key is rejected on an open connection from the next request on', async () => {
  const { apiKey: revokedKey, key } = await ada.createKey({ name: 'to be revoked' });
  const socket = await HttpSocket.open(gateway);
  const request = `GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${revokedKey}\r\n\r\n`;
  for (let i = 0; i < 3; i++) assert.equal((await socket.send(request)).status, 200);
  await ada.revoke(key.id);
  for (let i = 0; i < 3; i++) {
    const response = await withoutUpstream(() => socket.send(request));
    assert.equal(response.status, 401);
    assert.match(response.body, /"code":"revoked_key"/);
  }
  socket.close();
});

test('a request over the limit of its key gets a 429 with Retry-After', async (t) => {
  const env = { SOKU_KEY_RATE_LIMIT: '2' };
  await withinOneMinute(async () => {
    const { callGateway } = await behindGateway(t, (_request, response) => response.end(), { env });
    const responses = [await callGateway('/'), await callGateway('/'), await callGateway('/')];
    assert.deepEqual(
      responses.map(({ status, headers }) => [status, headers.get('x-ratelimit-remaining')]),
      [
        [200, '1'],
        [200, '0'],
        [429, '0'],
      ],
    );
    const [, , last] = responses;
    assert.ok(last !== undefined);
    assertProblem(last, 'rate_limited');
    assert.match(last.headers.get('retry-after') ?? '', /^\d+$/);
  });
});

test('a preflight is rejected unless the operator allows it, and is then forwarded without a key', async (t) => {
  const preflight: Fields = [
    ['Origin', 'https://app.example.com'],
    ['Access-Control-Request-Method', 'POST'],
    ['X-Soku-Key-Id', 'forged'],
  ];
  const rejected = await withoutUpstream(() =>
    callWithFields(gateway, { method: 'OPTIONS', fields: preflight }),
  );
  assertProblem(rejected, 'cross_origin');
  assert.equal(rejected.headers.get('access-control-allow-origin'), null);

  const { gateway: open } = await behindGateway(
    t,
    ({ headers }, response) => {
      response.setHeader('access-control-allow-origin', '*');
      response.end(String(headers['x-soku-key-id']));
    },
    { env: { SOKU_GATEWAY_PREFLIGHT: 'pass' } },
  );
  const passed = await callWithFields(open, { method: 'OPTIONS', fields: preflight });
  assert.deepEqual([passed.status, passed.text], [200, 'undefined']);
  assert.equal(passed.headers.get('access-control-allow-origin'), '*');
  for (const method of ['OPTIONS', 'POST']) {
    const fields = preflight.filter(([name]) => method === 'POST' || !name.startsWith('Access'));
    assertProblem(await callWithFields(open, { method, fields }), 'missing_authorization');
  }
});

test('targets, lengths and upgrades that cannot be forwarded are rejected with the reason', async () => {
  const start = (line: string, more = '') =>
    `${line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${apiKey}\r\n${more}\r\n`;
  const webSocket =
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
  const requests: [string, RegExp][] = [
    [start(`GET ${upstream.url}/x`), /must be a path/],
    [start('OPTIONS *'), /must be a path/],
    [start('GET /a#b'), /invalid character/],
    [start('GET /', webSocket), /does not support WebSocket connections/],
    [start('GET /', 'Connection: x, Upgrade\r\nUpgrade: h2c, WebSocket\r\n'), /WebSocket/],
    [start('GET /', 'Connection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n'), /WebSocket/],
    [start('POST /', 'Content-Length: 00\r\n'), /without leading zeros/],
    [start(`GET /${'x'.repeat(8192)}`), /URL is longer/],
    [start('GET /', 'Host: y\r\n'), /one Host/],
    [`GET / HTTP/1.1\r\nAuthorization: Bearer ${apiKey}\r\n\r\n`, /one Host/],
  ];
  for (const [request, pattern] of requests) {
    const socket = await HttpSocket.open(gateway);
    const response = await withoutUpstream(() => socket.send(request));
    socket.close();
    const { error } = errorSchema.parse(JSON.parse(response.body));
    assert.deepEqual([response.status, error.code], [400, 'invalid_request'], request);
    assert.match(error.message, pattern);
    assert.equal(response.headers.get('x-request-id'), error.requestId);
  }
});

test('TRACE and CONNECT get a 405 that lists the forwarded methods', async () => {
  for (const line of ['TRACE /', 'TRACE *', 'CONNECT example.com:443', 'CONNECT /']) {
    const socket = await HttpSocket.open(gateway);
    const response = await withoutUpstream(() =>
      socket.send(`${line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${apiKey}\r\nX-Other: y\r\n\r\n`),
    );
    socket.close();
    const { error } = errorSchema.parse(JSON.parse(response.body));
    assert.deepEqual([response.status, error.code], [405, 'method_not_allowed'], line);
    assert.match(response.headers.get('allow') ?? '', /^GET, HEAD, POST, /);
    assert.equal(response.headers.get('x-request-id'), error.requestId);
    assert.ok(!response.bytes.includes('x-other'), 'the response repeats nothing of the request');
  }
});

test('no key appears in the log or at the upstream', async () => {
  await callWithFields(`${gateway}/${apiKey}?token=${apiKey}`, { fields: [['X-Other', apiKey]] });
  await callWithFields(gateway, { fields: [authorization(apiKey)] });
  const secret = apiKey.slice(8);
  await server.printed('"route":"gateway"');
  assert.ok(!server.output.includes(secret));
  assert.ok(!JSON.stringify(upstream.requests).includes(secret));
});

test('SOKU_GATEWAY_RULES: a key needs the scopes of the first matching rule, and denied paths accept no key', async (t) => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'soku-rules-'));
  const file = join(directory.path, 'rules.json');
  writeFileSync(
    file,
    JSON.stringify([
      { methods: ['GET'], path: '/files/*', scopes: ['keys:read'] },
      { path: '/internal/*', deny: true },
      { path: '/orders/*', scopes: ['orders:read', 'orders:write'] },
    ]),
  );
  const own = await Upstream.start();
  t.after(() => own.stop());
  const started = await startGateway(own.url, {
    SOKU_GATEWAY_RULES: file,
    SOKU_GATEWAY_PREFLIGHT: 'pass',
    SOKU_KEY_RATE_LIMIT: '2',
  });
  t.after(() => started.server.stop());
  const owner = await openSession(started.server);
  const { apiKey: plain } = await owner.createKey({ name: 'plain' });
  const { apiKey: reader } = await owner.createKey({ name: 'reader', scopes: ['keys:read'] });
  const callGateway = (target: string, key: string, method = 'GET') =>
    callWithFields(started.gateway + target, { method, fields: [authorization(key)] });

  const lacking = await callGateway('/files/1', plain);
  assert.match(assertProblem(lacking, 'insufficient_scope').message, /keys:read/);
  assert.match(
    lacking.headers.get('www-authenticate') ?? '',
    /error="insufficient_scope".* scope="keys:read"$/,
  );
  assertProblem(await callGateway('/internal/x', reader), 'not_found');
  assertProblem(await callGateway('/internal/x', apiKey), 'unknown_key');
  for (const path of ['/files/../internal/x', '/files%2f1', '//internal/x', '/files/..;/internal']) {
    assertProblem(await callGateway(path, reader), 'invalid_request');
  }
  const scopes = [{ name: 'orders:read' }, { name: 'orders:write' }];
  assert.equal((await owner.call('PUT', '/v1/scopes', { scopes })).status, 200);
  const { apiKey: everything } = await owner.createKey({ name: 'everything', scopes: ['*'] });
  const { apiKey: someOrders } = await owner.createKey({ name: 'some orders', scopes: ['orders:read'] });
  assertProblem(await callGateway('/files/1', everything), 'insufficient_scope');
  const lackingOne = assertProblem(await callGateway('/orders/7', someOrders), 'insufficient_scope');
  assert.match(lackingOne.message, /orders:write/);
  const preflight: Fields = [['Access-Control-Request-Method', 'GET']];
  const options = { method: 'OPTIONS', fields: preflight };
  assertProblem(await callWithFields(`${started.gateway}/internal/x`, options), 'not_found');
  assert.deepEqual(own.requests, []);

  // Rejected requests do not count against the limit.
  assert.equal((await callGateway('/files/1', reader)).status, 200);
  assert.equal((await callGateway('/other', reader, 'DELETE')).status, 200);
  assert.equal((await callGateway('/files/1', plain, 'DELETE')).status, 200);
  assert.equal((await callWithFields(`${started.gateway}/files/1`, options)).status, 200);
  assert.equal(own.requests.length, 4);
  const { apiKey: orders } = await owner.createKey({ name: 'orders', scopes: ['orders:*'] });
  for (const key of [everything, orders]) assert.equal((await callGateway('/orders/7', key)).status, 200);
});
