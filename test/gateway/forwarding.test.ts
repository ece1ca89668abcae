/** What the gateway forwards of a request to the API. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertProblem } from '../support/contract.ts';
import { callWithFields, type Fields } from '../support/http.ts';
import { HttpSocket } from '../support/http-socket.ts';
import { openSession } from '../support/session.ts';
import { behindGateway, startGateway, Upstream } from './gateway.ts';

const upstream = await Upstream.start();
const { server, gateway } = await startGateway(upstream.url);
const ada = await openSession(server);
const { apiKey, key } = await ada.createKey({
  name: 'Grüße, 100 %',
  scopes: ['keys:read'],
  externalId: 'Zürich, 7',
});
const authorization = ['Authorization', `Bearer ${apiKey}`] as const;
after(async () => {
  await server.stop();
  await upstream.stop();
});

/** Sends a request through the gateway, which must accept it. @returns what the upstream received */
async function forward(path: string, fields: Fields = [], options: { method?: string; body?: string } = {}) {
  const before = upstream.requests.length;
  const response = await callWithFields(gateway + path, { fields: [authorization, ...fields], ...options });
  assert.equal(response.status, 200, response.text);
  assert.equal(upstream.requests.length, before + 1);
  return upstream.last;
}

test('the API gets the identity of the key, but not the key', async () => {
  const forged: Fields = ['Key-Id', 'Scopes', 'Environment', 'External-Id', 'Require-Scopes'].flatMap(
    (name) => [
      [`X-Soku-${name}`, 'forged'],
      [`x_soku_${name.toLowerCase().replace('-', '_')}`, 'forged'],
    ],
  );
  const forwarded = await forward('/orders', forged);
  assert.equal(forwarded.headers['x-soku-key-id'], key.id);
  assert.match(String(forwarded.headers['x-soku-workspace-id']), /^ws_\w{26}$/);
  assert.equal(decodeURIComponent(String(forwarded.headers['x-soku-key-name'])), 'Grüße, 100 %');
  assert.equal(forwarded.headers['x-soku-scopes'], 'keys:read');
  assert.equal(forwarded.headers['x-soku-environment'], 'live');
  assert.equal(decodeURIComponent(String(forwarded.headers['x-soku-external-id'])), 'Zürich, 7');
  assert.ok(!JSON.stringify(forwarded).includes('forged'));
  assert.equal(forwarded.headers.authorization, undefined);
  assert.ok(!JSON.stringify(forwarded).includes(apiKey.slice(8, 30)));
});

test('method, path, query and body are forwarded unchanged', async () => {
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
    const body = method === 'GET' ? undefined : `{"a":"ü"} ${method}`;
    const forwarded = await forward('/a', [], { method, ...(body === undefined ? {} : { body }) });
    assert.deepEqual([forwarded.method, forwarded.body], [method, body ?? '']);
  }
  const targets = [
    '/',
    '//',
    '/a//b/',
    '/a/../b',
    '/%2e%2e/%2F%00',
    '/a%zz',
    '/a?',
    '/?a=1&a=2&b=%20+%2F',
    '/;a="b"',
  ];
  for (const target of targets) assert.equal((await forward(target)).target, target);
});

test('the fields of the client are forwarded in their order and spelling', async () => {
  const fields: [string, string][] = [
    ['X-B', '2'],
    ['x-a', '1'],
    ['X-B', 'again'],
    ['Content-Type', 'text/plain; charset="utf-8"'],
    ['Accept', '*/*'],
    ['X-Odd', '\xfc"\t,'],
  ];
  const forwarded = await forward('/', fields);
  const names = new Set(fields.map(([name]) => name));
  const passed = forwarded.fields.flatMap((name, i) =>
    i % 2 === 0 && names.has(name) ? [[name, forwarded.fields[i + 1]]] : [],
  );
  assert.deepEqual(passed, fields);
});

test('only the gateway sets X-Soku-* and the request id, in any spelling', async () => {
  const forged = [
    'X-Soku-Key-Id',
    'x-soku-key-id',
    'X_Soku_Key_Id',
    'X-Soku_Key-Id',
    'X.Soku.Key.Id',
    'X-Soku-Anything',
    'X-Request-Id',
    'X_Request_Id',
  ];
  const forwarded = await forward(
    '/',
    forged.map((name) => [name, 'forged']),
  );
  assert.ok(!forwarded.fields.includes('forged'), forwarded.fields.join());
  assert.equal(forwarded.headers['x-soku-key-id'], key.id);
  assert.match(String(forwarded.headers['x-request-id']), /^req_\w+$/);
});

test('hop-by-hop fields and those that Connection names are not forwarded', async () => {
  // Over a socket, because Node's client does not send some of these.
  const socket = await HttpSocket.open(gateway);
  const fields = [
    `Authorization: Bearer ${apiKey}`,
    'Connection: keep-alive, X-Secret-Hop, X-Soku-Key-Id, X-Forwarded-For',
    'Connection: x-other-hop',
    'X-Secret-Hop: x',
    'X-Other-Hop: x',
    'Keep-Alive: timeout=5',
    'TE: trailers',
    'Trailer: X-After',
    'Proxy-Authorization: Basic x',
    'Proxy-Connection: keep-alive',
    'Proxy: http://evil.example',
    'Upgrade: h2c',
    'HTTP2-Settings: x',
    'X-Kept: x',
  ];
  const response = await socket.send(`GET / HTTP/1.1\r\nHost: x\r\n${fields.join('\r\n')}\r\n\r\n`);
  socket.close();
  assert.equal(response.status, 200);
  const { connection, 'x-kept': kept, ...headers } = upstream.last.headers;
  assert.equal(connection, 'keep-alive', 'the header of the gateway itself');
  assert.equal(kept, 'x');
  for (const name of Object.keys(headers))
    assert.doesNotMatch(name, /hop|keep|^te$|trailer|proxy|upgrade|http2/);
  assert.equal(headers['x-soku-key-id'], key.id, 'Connection cannot remove a field that the gateway sets');
  assert.equal(headers['x-forwarded-for'], '127.0.0.1');
});

test('offers to switch protocols are ignored if a server may ignore them', async () => {
  const offers = [
    // Sent by Apache HttpClient 5.4 with every request.
    ['Upgrade: TLS/1.2', 'Connection: Upgrade'],
    ['Upgrade: h2c, TLS/1.3', 'Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: AAMAAABk'],
    ['Upgrade: h2c', 'Connection: Upgrade, HTTP2-Settings', 'HTTP2-Settings: '],
    ['Upgrade: TLS/1.2', 'Connection: keep-alive'],
    ['Upgrade: websocket'],
    ['Upgrade: SPDY/3.1, x', 'Connection: upgrade'],
    ['Upgrade: ', 'Connection: Upgrade'],
    ['Connection: Upgrade'],
  ];
  // Sent one after another over one connection, so each must leave it in sync.
  const socket = await HttpSocket.open(gateway);
  for (const offer of offers) {
    for (const [line, body] of [
      ['GET /offer', ''],
      ['POST /offer', 'hello'],
    ]) {
      const fields = [
        ...offer,
        `Authorization: Bearer ${apiKey}`,
        ...(body === '' ? [] : ['Content-Length: 5']),
      ];
      const response = await socket.send(
        `${line} HTTP/1.1\r\nHost: x\r\n${fields.join('\r\n')}\r\n\r\n${body}`,
      );
      assert.equal(response.status, 200, offer.join());
      const { method, target, headers, body: received } = upstream.last;
      assert.deepEqual([`${method} ${target}`, received], [line, body], offer.join());
      assert.deepEqual(
        [headers.connection, headers.upgrade, headers['http2-settings']],
        ['keep-alive', undefined, undefined],
      );
    }
  }
  socket.close();
});

test("the dashboard's session cookie, which a browser sends to every port of a host, is not forwarded", async () => {
  const session = ada.cookie;
  assert.match(session, /^soku_session_[0-9a-f]{8}=/);
  const cases: [string, string | undefined][] = [
    [session, undefined],
    [`a=1; ${session}; b=2`, 'a=1; b=2'],
    [`${session}; a=1`, 'a=1'],
    [`a=1;${session}`, 'a=1'],
    [`=${session}`, undefined],
    ['__Host-soku_session=x; a=1', 'a=1'],
    // The cookie of another instance on the same host.
    ['soku_session_0badcafe=x; soku_session_0badcafe_extra.dont_remember=y; a=1', 'a=1'],
    ['my_soku_session=x', 'my_soku_session=x'],
  ];
  for (const [sent, received] of cases) {
    assert.equal((await forward('/', [['Cookie', sent]])).headers.cookie, received, sent);
  }
});

test('with SOKU_GATEWAY_FORWARD_KEY=on the key is forwarded, even if Connection names its field', async (t) => {
  const { callGateway } = await behindGateway(
    t,
    (request, response) => response.end(String(request.headersDistinct.authorization)),
    { env: { SOKU_GATEWAY_FORWARD_KEY: 'on' } },
  );
  const plain = await callGateway('/');
  assert.match(plain.text, /^Bearer sk_live_\w{32}$/);
  assert.equal((await callGateway('/', { fields: [['Connection', 'authorization']] })).text, plain.text);
  assert.equal((await callGateway('/', { fields: [['X_Authorization', 'x']] })).text, plain.text);
});

test('with a base path, requests stay below it', async (t) => {
  const { callGateway } = await behindGateway(t, (request, response) => response.end(request.url), {
    path: '/base/v2/',
  });
  for (const path of ['/', '/a%2Fb?x=/../..', '/..a/b../...', '/%2e/a']) {
    assert.equal((await callGateway(path)).text, `/base/v2${path}`);
  }
  for (const path of ['/../admin', '/a/%2e%2E/x', '/..', '/a/..%2fx', '/%252e%252e/x', '/..;/x', '/..\\x']) {
    assert.match(assertProblem(await callGateway(path), 'invalid_request').message, /"\.\."/);
  }
});
