/** What the gateway returns of the API's response. */
import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { after, test } from 'node:test';
import { assertExposition } from '../support/exposition.ts';
import { callWithFields, toLatin1 } from '../support/http.ts';
import { HttpSocket } from '../support/http-socket.ts';
import { call } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { behindGateway, startGateway, startRawUpstream, Upstream } from './gateway.ts';

/** How the API responds to the requests of a test. */
let respond: RequestListener;
const upstream = await Upstream.start((request, response) => respond(request, response));
const { server, gateway } = await startGateway(upstream.url, { SOKU_KEY_RATE_LIMIT: '1000' });
after(async () => {
  await server.stop();
  await upstream.stop();
});
const { apiKey } = await (await openSession(server)).createKey({ name: 'own' });
const callGateway = (target: string, options: Parameters<typeof callWithFields>[1] = {}) =>
  callWithFields(gateway + target, { ...options, fields: [['Authorization', `Bearer ${apiKey}`]] });

test('the response keeps its status, fields and body, and gets the request id and the limit fields', async () => {
  respond = (request, response) => {
    response.writeHead(418, [
      ...['Content-Type', 'text/x-tea; charset=utf-8', 'X-Twice', '1', 'X-Twice', '2', 'ETag', '"x"'],
      ...[
        'X-Request-Id',
        'req_of_upstream',
        'X-RateLimit-Limit',
        '7',
        'X-Soku-Key-Id',
        'forged',
        'X_Soku_A',
        'x',
      ],
      ...['Connection', 'X-Hop', 'X-Hop', 'x', 'Keep-Alive', 'timeout=9', 'Proxy-Authenticate', 'Basic'],
      ...['Alt-Svc', 'h3=":443"', 'X-Saw', String(request.headers['x-request-id'])],
    ]);
    response.end('tëa');
  };
  const { status, headers, text } = await callGateway('/');
  assert.deepEqual([status, text], [418, 'tëa']);
  assert.equal(headers.get('content-type'), 'text/x-tea; charset=utf-8');
  assert.equal(headers.get('x-twice'), '1, 2');
  assert.equal(headers.get('etag'), '"x"');
  assert.equal(headers.get('x-request-id'), headers.get('x-saw'));
  assert.equal(headers.get('x-ratelimit-limit'), '1000');
  assert.equal(headers.get('ratelimit-policy'), '"key";q=1000;w=60');
  for (const name of ['x-soku-key-id', 'x_soku_a', 'x-hop', 'proxy-authenticate', 'alt-svc']) {
    assert.equal(headers.get(name), null, name);
  }
  assert.doesNotMatch(headers.get('keep-alive') ?? '', /9/);
});

test("the API can set its own cookies, but not the dashboard's session cookies", async () => {
  const cookies = [
    'soku_session=evil; Path=/',
    ' soku_session =evil',
    '=soku_session=evil',
    'SOKU_SESSION=evil',
    '__Host-soku_session=evil; Secure; Path=/',
    'soku_session_0badcafe=evil',
    'theirs=1; Path=/; HttpOnly',
    'soku_session2=1',
  ];
  respond = (_request, response) => response.writeHead(200, { 'set-cookie': cookies }).end();
  assert.deepEqual((await callGateway('/')).headers.getSetCookie(), cookies.slice(6));
});

test("a redirect to the API's own address points to the gateway, and others stay unchanged", async () => {
  respond = (request, response) =>
    response.writeHead(302, { location: decodeURIComponent(request.url?.slice(2) ?? '') }).end();
  const cases = [
    [`${upstream.url}/orders/1?a=b`, '/orders/1?a=b'],
    [upstream.url, '/'],
    ['/orders', '/orders'],
    ['https://example.com/', 'https://example.com/'],
    [`${upstream.url}0/x`, `${upstream.url}0/x`],
    [`${upstream.url}//evil.example/`, `${upstream.url}//evil.example/`],
  ];
  for (const [sent = '', received] of cases) {
    assert.equal(
      (await callGateway(`/?${encodeURIComponent(sent)}`)).headers.get('location'),
      received,
      sent,
    );
  }
});

test('responses to HEAD, 204 and 304 have no body', async () => {
  respond = (request, response) => {
    const status = Number(request.url?.slice(1));
    response.writeHead(status, { 'x-status': status, ...(status === 200 ? { 'content-length': 5 } : {}) });
    response.end(status === 200 && request.method !== 'HEAD' ? 'hello' : undefined);
  };
  for (const [method, status, length] of [
    ['HEAD', 200, '5'],
    ['GET', 204, null],
    ['GET', 304, null],
  ] as const) {
    const response = await callGateway(`/${status}`, { method });
    assert.deepEqual([response.status, response.text], [status, '']);
    assert.equal(response.headers.get('content-length'), length);
    assert.equal(response.headers.get('x-status'), String(status));
  }
  assert.equal((await callGateway('/200')).text, 'hello', 'the connection to the upstream is in sync');
});

test('an HTTP/1.0 client gets a response without chunks', async () => {
  respond = (_request, response) => {
    response.write('one');
    response.end('two');
  };
  const socket = await HttpSocket.open(gateway);
  const response = await socket.send(`GET / HTTP/1.0\r\nAuthorization: Bearer ${apiKey}\r\n\r\n`);
  assert.equal(response.headers.get('transfer-encoding'), undefined);
  assert.equal(response.body, 'onetwo');
  await socket.closed();
});

test('fields and bodies are forwarded as bytes, with and without a length', async () => {
  const odd = toLatin1('grüße');
  respond = (request, response) => {
    response.setHeader('x-odd', odd).setHeader('x-came', request.headers['x-odd'] ?? '');
    if (request.url === '/length') response.setHeader('content-length', 3);
    if (request.url === '/later') response.write('', 'latin1');
    setImmediate(() => response.end(Buffer.from([0xff, 0xfe, 0x00])));
  };
  for (const [path, more] of [
    ['/', ''],
    ['/length', ''],
    ['/later', ''],
    ['/', 'Expect: 100-continue\r\n'],
  ]) {
    const socket = await HttpSocket.open(gateway);
    const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${apiKey}\r\nX-Odd: ${odd}\r\n`;
    const request = `${head}${more}Content-Length: 1\r\n\r\n\xff`;
    const { headers, bytes } = await socket.send(Buffer.from(request, 'latin1'));
    socket.close();
    assert.deepEqual([headers.get('x-odd'), headers.get('x-came')], [odd, odd], `${path} ${more}`);
    assert.ok(bytes.includes(Buffer.from([0xff, 0xfe, 0x00])));
  }
});

/** What an API without an HTTP library sends in response to every request. */
let bytes = '';
const raw = await startRawUpstream(() => bytes);
const beforeRaw = await startGateway(raw.url);
after(async () => {
  await beforeRaw.server.stop();
  raw.stop();
});
const rawKey = (await (await openSession(beforeRaw.server)).createKey({ name: 'own' })).apiKey;

async function callRaw(version: string) {
  const socket = await HttpSocket.open(beforeRaw.gateway);
  const response = await socket.send(
    `GET / HTTP/${version}\r\nHost: x\r\nAuthorization: Bearer ${rawKey}\r\n\r\n`,
  );
  socket.close();
  return response;
}

test('a body with a transfer coding is not forwarded as if it were plain', async () => {
  bytes = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
  const response = await callRaw('1.1');
  assert.equal(response.status, 502);
  assert.equal(JSON.parse(response.body).error.code, 'bad_gateway');
});

test('an unsolicited 100 Continue is not forwarded', async () => {
  bytes = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  for (const version of ['1.0', '1.1']) {
    const response = await callRaw(version);
    assert.equal(response.status, 200);
    assert.ok(response.bytes.toString('latin1').startsWith('HTTP/1.1 200'), version);
    assert.equal(response.body, 'ok');
  }
});

test('a 204 has no length, even if the API sends one', async () => {
  bytes = 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nX-Own: 1\r\n\r\n';
  const response = await callRaw('1.1');
  assert.equal(response.status, 204);
  assert.equal(response.headers.get('content-length'), undefined);
  assert.equal(response.headers.get('x-own'), '1');
});

test('gateway requests are counted by method and status, and not by values that clients or upstreams choose', async (t) => {
  const own = await behindGateway(t, ({ url }, response) => {
    response.writeHead(Number(url?.slice(1))).end();
  });
  for (const status of [200, 200, 503, 799, 798]) await own.callGateway(`/${status}`);
  assert.equal((await callWithFields(`${own.gateway}/200`)).status, 401);
  await own.callGateway('/200', { method: 'PROPFIND' });
  const { text } = await call(`${own.server.url}/metrics`);
  assertExposition(text);
  const lines = text.match(/^soku_http_requests_total\{route="gateway",.*$/gm);
  const line = (method: string, status: number | 'other', count: number) =>
    `soku_http_requests_total{route="gateway",method="${method}",status="${status}"} ${count}`;
  assert.deepEqual(lines?.toSorted(), [
    line('GET', 200, 2),
    line('GET', 401, 1),
    line('GET', 503, 1),
    line('GET', 'other', 2),
    line('other', 200, 1),
  ]);
  assert.match(text, /^soku_http_request_duration_seconds_count\{route="gateway",method="GET"\} 6$/m);
});
