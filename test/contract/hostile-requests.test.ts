/** Malicious requests: too large, ambiguous, with polluted prototypes, or with forged log lines. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorSchema } from '@soku/contract/errors';
import { createdKeySchema } from '@soku/contract/keys';
import { z } from 'zod';
import { assertProblem, Contract } from '../support/contract.ts';
import { callWithFields, toLatin1 } from '../support/http.ts';
import { ConnectionEnded, HttpSocket, type RawResponse } from '../support/http-socket.ts';
import { call } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer({ LOG_LEVEL: 'trace' });
const contract = await Contract.of(server);
const ada = await openSession(server);
const { apiKey } = await ada.createKey({ name: 'good' });
const validAuthorization = `Authorization: Bearer ${apiKey}\r\n`;

/** Sends bytes on a new connection. `more` is the number of further responses. */
async function raw(bytes: string): Promise<{ response: RawResponse | null; more: number; closed: boolean }> {
  const socket = await HttpSocket.open(server.url);
  try {
    const response = await socket.send(Buffer.from(bytes, 'latin1'));
    if (response.headers.get('connection') === 'close') await socket.closed();
    return { response, more: socket.unsolicited.length, closed: socket.ended };
  } catch (error) {
    assert.ok(error instanceof ConnectionEnded);
    return { response: null, more: socket.unsolicited.length, closed: true };
  } finally {
    socket.close();
  }
}

/** Fails unless the request gets exactly one error response, and the connection is closed. */
async function assertMalformed(what: string, bytes: string): Promise<void> {
  const { response, more, closed } = await raw(bytes);
  assert.equal(response?.status, 400, what);
  const { error } = errorSchema.parse(JSON.parse(response.body));
  assert.equal(error.code, 'invalid_request', what);
  assert.equal(response.headers.get('x-request-id'), error.requestId, what);
  assert.equal(response.headers.get('cache-control'), 'no-store', what);
  assert.equal(more, 0, `${what}: exactly one response`);
  assert.ok(closed, `${what}: the connection is closed`);
}

test('a request with an ambiguous end is rejected, and nothing after it is read', async () => {
  const smuggled = `GET /v1/me HTTP/1.1\r\nHost: x\r\n${validAuthorization}\r\n`;
  const post = (fields: string, body: string) =>
    `POST /v1/api-keys HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${fields}\r\n${body}`;
  const chunked = 'Transfer-Encoding: chunked\r\n';
  const requests: [string, string][] = [
    ['length and chunks', post(`Content-Length: 4\r\n${chunked}`, `0\r\n\r\n${smuggled}`)],
    ['chunks and length', post(`${chunked}Content-Length: 4\r\n`, `0\r\n\r\n${smuggled}`)],
    ['two lengths', post('Content-Length: 0\r\nContent-Length: 5\r\n', smuggled)],
    ['a list of lengths', post('Content-Length: 0, 5\r\n', smuggled)],
    ['a length with a sign', post('Content-Length: +5\r\n', smuggled)],
    ['a negative length', post('Content-Length: -1\r\n', smuggled)],
    ['a hexadecimal length', post('Content-Length: 0x5\r\n', smuggled)],
    ['a space before the colon', post('Content-Length : 0\r\n', smuggled)],
    ['chunks that are not last', post('Transfer-Encoding: chunked, identity\r\n', `0\r\n\r\n${smuggled}`)],
    ['a wrong chunk size', post(chunked, `zz\r\n\r\n${smuggled}`)],
    ['a chunk extension with a bare LF', post(chunked, `0;a\n\r\n${smuggled}`)],
    ['a folded header', `GET /v1/me HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n\r\n`],
    ['a folded key', `GET /v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer\r\n ${apiKey}\r\n\r\n`],
    ['bare LF', `GET /v1/me HTTP/1.1\nHost: x\n\n`],
    ['a bare LF behind a field', `GET /v1/me HTTP/1.1\r\nHost: x\nX: y\r\n\r\n`],
    ['a bare CR', `GET /v1/me HTTP/1.1\r\nHost: x\rX: y\r\n\r\n`],
    ['a NUL in a field', `GET /v1/me HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n`],
    ['a space in a name', `GET /v1/me HTTP/1.1\r\nHost: x\r\nX Y: z\r\n\r\n`],
    ['no name', `GET /v1/me HTTP/1.1\r\nHost: x\r\n: z\r\n\r\n`],
  ];
  for (const [what, bytes] of requests) await assertMalformed(what, bytes);
});

// HTTP/2 and other protocols: foreign-protocols.test.ts.
test('bytes that are not HTTP get an error response that repeats none of them', async () => {
  const lines = ['BREW /v1/me HTTP/1.1', 'GET /v1/me HTTP/3.7', 'hello'];
  for (const line of lines) await assertMalformed(line, `${line}\r\nHost: x\r\n\r\n`);
  const { response } = await raw(`\x16\x03\x01${apiKey}\r\n\r\n`);
  assert.ok(response === null || !response.bytes.includes(apiKey.slice(8, 20)));
});

test('a request without a Host header is rejected', async () => {
  const { response } = await raw(`GET /v1/me HTTP/1.1\r\n${validAuthorization}\r\n`);
  assert.equal(response?.status, 400);
});

test('pipelined requests get their responses in order', async () => {
  const socket = await HttpSocket.open(server.url);
  const request = (fields: string) => `GET /v1/me HTTP/1.1\r\nHost: x\r\n${fields}\r\n`;
  const responses = await Promise.all([socket.send(request(validAuthorization)), socket.send(request(''))]);
  socket.close();
  assert.deepEqual(
    responses.map((response) => response.status),
    [200, 401],
  );
});

test('a body above 64 kB is rejected, with or without a Content-Length', async () => {
  const large = JSON.stringify({ name: 'x'.repeat(66_000) });
  for (const path of ['/v1/api-keys', '/api/auth/sign-in/email', '/api/setup']) {
    const withLength = await callWithFields(`${server.url}${path}`, {
      method: 'POST',
      fields: [
        ['Cookie', ada.cookie],
        ['Content-Type', 'application/json'],
      ],
      body: large,
    });
    assert.match(assertProblem(withLength, 'payload_too_large').message, /65536/);
  }
  const chunk = `${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`;
  const head = `POST /v1/api-keys HTTP/1.1\r\nHost: x\r\nCookie: ${ada.cookie}\r\nContent-Type: application/json\r\n`;
  const { response } = await raw(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk}`);
  assert.equal(response?.status, 413);
});

test('a client that is still sending a body that is too large gets its response', async () => {
  const size = 4 * 1024 * 1024;
  const rest = Buffer.alloc(size, 'x');
  const chunk = Buffer.concat([Buffer.from(`${size.toString(16)}\r\n`), rest, Buffer.from('\r\n0\r\n\r\n')]);
  const fields = `Host: x\r\nCookie: ${ada.cookie}\r\nContent-Type: application/json\r\n`;
  const next = Buffer.from(`GET /v1/me HTTP/1.1\r\nHost: x\r\n${validAuthorization}\r\n`);
  for (const [framing, body] of [
    [`Content-Length: ${size}`, rest],
    ['Transfer-Encoding: chunked', chunk],
  ] as const) {
    const socket = await HttpSocket.open(server.url);
    const begun = 70_000;
    const head = Buffer.from(`POST /v1/api-keys HTTP/1.1\r\n${fields}${framing}\r\n\r\n`);
    const rejected = await socket.send(Buffer.concat([head, body.subarray(0, begun)]));
    assert.equal(rejected.status, 413, framing);
    const following = await socket.send(Buffer.concat([body.subarray(begun), next]));
    assert.equal(following.status, 200, framing);
    socket.close();
  }
});

test('a client that asks to close the connection learns that it closes, whatever the response is', async () => {
  const close = 'Host: x\r\nConnection: close\r\n';
  const post = `POST /v1/api-keys HTTP/1.1\r\n${close}Cookie: ${ada.cookie}\r\n`;
  const json = 'Content-Type: application/json\r\n';
  const requests: [status: number, bytes: string][] = [
    [200, `GET /v1/me HTTP/1.1\r\n${close}${validAuthorization}\r\n`],
    [401, `GET /v1/me HTTP/1.1\r\n${close}\r\n`],
    [400, `${post}${json}Content-Length: 2\r\n\r\n{x`],
    [400, `${post}${json}Content-Length: 2\r\n\r\n{}`],
    [413, `${post}${json}Content-Length: 70000\r\n\r\n`],
    [415, `${post}Content-Type: text/xml\r\nContent-Length: 4\r\n\r\n<a/>`],
    [400, `PUT /readyz HTTP/1.1\r\n${close}${json}Content-Length: 2\r\n\r\n{x`],
    [404, `GET /settings/api/none/none HTTP/1.1\r\n${close}\r\n`],
  ];
  for (const [status, bytes] of requests) {
    const { response, closed } = await raw(bytes);
    assert.equal(response?.status, status, bytes);
    // RFC 9112 section 9.6.
    assert.equal(response.headers.get('connection'), 'close', bytes);
    assert.ok(closed, bytes);
  }
});

test('an HTTP/1.0 client that asks to keep the connection learns that it stays open, also in errors', async () => {
  const fields = `Connection: keep-alive\r\nCookie: ${ada.cookie}\r\nContent-Type: application/json\r\n`;
  const { response } = await raw(`POST /v1/api-keys HTTP/1.0\r\n${fields}Content-Length: 2\r\n\r\n{x`);
  assert.equal(response?.status, 400);
  assert.equal(response.headers.get('connection'), 'keep-alive');
});

test('a body of exactly 64 kB is accepted', async () => {
  const body = JSON.stringify({ name: 'x' }).padEnd(65_536, ' ');
  assert.equal((await contract.call('POST', '/v1/api-keys', { as: ada, body })).status, 201);
});

test('headers above 16 kB and URLs above 8 kB get an error response', async () => {
  const request = (line: string, fields = '') => `GET ${line} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`;
  const large = `X-Large: ${'x'.repeat(17_000)}\r\n`;
  await assertMalformed('a large field', request('/v1/me', large));
  await assertMalformed('many fields', request('/v1/me', `X-A: ${'y'.repeat(90)}\r\n`.repeat(200)));
  await assertMalformed('a huge URL', request(`/v1/me?${'x'.repeat(20_000)}`));
  const long = await callWithFields(`${server.url}/v1/me?${'x'.repeat(8200)}`);
  assert.match(assertProblem(long, 'invalid_request').message, /URL is longer than 8192/);
  const allowed = await contract.call('GET', `/v1/me?${'x'.repeat(8000)}`, { key: apiKey });
  assert.equal(allowed.status, 200);
});

test('a path that cannot be decoded gets an error response', async () => {
  for (const path of ['/%zz', '/%', '/v1/%e0%a4', '/v1/api-keys/%c3%28']) {
    assertProblem(await callWithFields(server.url + path), 'invalid_request');
  }
});

test('path traversal exposes no files', async () => {
  const paths = [
    '/../package.json',
    '/assets/../../package.json',
    '/%2e%2e/%2e%2e/package.json',
    '/..%2f..%2fsoku.db',
  ];
  for (const path of [
    ...paths,
    '/assets/..%5c..%5cpackage.json',
    '/soku.db',
    '/secret',
    '/.stamp',
    '//etc/passwd',
  ]) {
    const response = await callWithFields(server.url + path);
    assert.ok([400, 404].includes(response.status), `${path} returns ${response.status}`);
    assert.doesNotMatch(response.text, /"dependencies"|SQLite format|root:/);
  }
});

test('a body cannot pollute prototypes', async () => {
  const scopes = '["keys:read","keys:write"]';
  const poisons = [
    `{"name":"x","__proto__":{"scopes":${scopes}}}`,
    `{"name":"x","constructor":{"prototype":{"scopes":${scopes}}}}`,
    `{"__proto__":{"name":"x"}}`,
    `{"name":"x","scopes":{"__proto__":[]}}`,
    `{"name":"x","\\u005f_proto__":{"scopes":${scopes}}}`,
  ];
  for (const body of poisons) {
    assertProblem(await contract.call('POST', '/v1/api-keys', { as: ada, body }), 'invalid_request');
  }
  for (const query of ['__proto__[limit]=1', 'constructor.prototype.limit=1', '__proto__=1']) {
    assertProblem(await contract.call('GET', `/v1/api-keys?${query}`, { as: ada }), 'invalid_request');
  }
  const plain = await contract.call('POST', '/v1/api-keys', { as: ada, body: { name: 'after' } });
  assert.deepEqual(createdKeySchema.parse(plain.body).key.scopes, []);
});

test('names that every object inherits are valid key names', async () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const response = await contract.call('POST', '/v1/api-keys', { as: ada, body: { name } });
    assert.equal(createdKeySchema.parse(response.body).key.name, name);
  }
});

test('a deeply nested body is rejected without harm', async () => {
  const body = `{"name":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
  assertProblem(await contract.call('POST', '/v1/api-keys', { as: ada, body }), 'invalid_request');
});

test('no client can forge a log line', async () => {
  const line = '{"level":60,"time":"2020-01-01T00:00:00.000Z","msg":"forged"}';
  const fields = ['User-Agent', 'X-Request-Id', 'Referer', 'Authorization', 'X-Forwarded-For', 'Origin'];
  for (const name of fields) {
    for (const value of [line, toLatin1(`\u2028${line}`), `"},${line}`]) {
      await callWithFields(`${server.url}/v1/me`, { fields: [[name, value]] });
      await callWithFields(`${server.url}/v1/api-keys`, {
        method: 'POST',
        fields: [[name, value]],
        body: '{}',
      });
    }
  }
  await callWithFields(`${server.url}/%0a${encodeURIComponent(line)}`);
  await raw(`GET /\x1b[31m HTTP/1.1\r\nHost: x\r\n\r\n`);
  await call(`${server.url}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: { 'user-agent': line },
    body: { email: `a@example.com\n${line}`, password: `\n${line}` },
  });
  await ada.createKey({ name: line.slice(0, 90) });
  const lineSchema = z.looseObject({ level: z.number(), time: z.iso.datetime(), msg: z.string() });
  const lines = server.output.trimEnd().split('\n');
  assert.ok(lines.length > 30);
  for (const text of lines) assert.notEqual(lineSchema.parse(JSON.parse(text)).msg, 'forged');
});

test('the server keeps working after all of these requests', async () => {
  assert.equal((await contract.call('GET', '/v1/me', { key: apiKey })).status, 200);
  assert.equal((await contract.call('GET', '/readyz')).status, 200);
});
