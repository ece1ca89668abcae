/**
 * GET /v1/verify in every form that HTTP allows: on a connection that stays open or closes, with a body, with the
 * whole URL in the request line. Each form gets the same response as the usual one.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKey } from '@soku/key';
import { toLatin1 } from '../support/http.ts';
import { HttpSocket, type RawResponse } from '../support/http-socket.ts';
import { withinOneMinute } from '../support/limits.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const ada = await openSession(server);
const valid = await ada.createKey({
  name: 'Größe "1"',
  scopes: ['keys:read', 'keys:write'],
  rateLimit: 1000,
});
const free = await ada.createKey({ name: 'free', rateLimit: 'off' });
const spent = await ada.createKey({ name: 'spent', rateLimit: 1 });
const revoked = await ada.createKey({ name: 'revoked' });
await ada.revoke(revoked.key.id);

const authorization = (value: string) => `Authorization: ${value}\r\n`;
const bearer = (apiKey: string) => authorization(`Bearer ${apiKey}`);

/** Sends one request over a new connection. */
async function send(head: string, body = ''): Promise<RawResponse> {
  const socket = await HttpSocket.open(server.url);
  try {
    return await socket.send(Buffer.from(`${head}\r\n${body}`, 'latin1'), head.startsWith('HEAD'));
  } finally {
    socket.close();
  }
}

interface Form {
  method?: string;
  target?: string;
  version?: string;
  fields?: string;
  body?: string;
  /** The status for an accepted key. Default: 204. */
  status?: number;
}

const usual = 'Host: localhost\r\n';
const forms: Record<string, Form> = {
  'a query': { target: '/v1/verify?page=1' },
  'an empty query': { target: '/v1/verify?' },
  'a fragment': { target: '/v1/verify#top' },
  'a long query': { target: `/v1/verify?${'a'.repeat(2000)}` },
  'an encoded letter': { target: '/v1/verif%79' },
  'the whole URL': { target: 'http://localhost/v1/verify' },
  'a Content-Length of 0': { fields: `${usual}Content-Length: 0\r\n` },
  'a body': { fields: `${usual}Content-Type: text/plain\r\nContent-Length: 2\r\n`, body: '{x' },
  'chunks of a body': { fields: `${usual}Transfer-Encoding: chunked\r\n`, body: '2\r\n{}\r\n0\r\n\r\n' },
  'a body that waits for 100 Continue': {
    fields: `${usual}Content-Length: 2\r\nExpect: 100-continue\r\n`,
    body: '{}',
  },
  'another expectation': { fields: `${usual}Expect: wonders\r\n` },
  'an offer of another protocol': { fields: `${usual}Connection: Upgrade\r\nUpgrade: h2c\r\n` },
  'a connection to close': { fields: `${usual}Connection: close\r\n` },
  'HTTP/1.0': { version: '1.0', fields: '' },
  'HTTP/1.0 with keep-alive': { version: '1.0', fields: 'Connection: keep-alive\r\n' },
  HEAD: { method: 'HEAD' },
  'a HEAD to close': { method: 'HEAD', fields: `${usual}Connection: close\r\n` },
  'a path below': { target: '/v1/verify/orders/%E9?page=%E9', status: 200 },
  'an empty path below': { target: '/v1/verify/', status: 200 },
  'a path below, in the whole URL': { target: 'https://localhost/v1/verify/x', status: 200 },
  'a path below an encoded letter': { target: '/v1/verif%79/x', status: 200 },
  'another method below': { target: '/v1/verify/x', method: 'DELETE', status: 200 },
  'a POST below': {
    target: '/v1/verify/x',
    method: 'POST',
    fields: `${usual}Origin: https://elsewhere.example\r\nCookie: a=b\r\nContent-Length: 2\r\n`,
    body: '{x',
    status: 200,
  },
  'a HEAD below': { target: '/v1/verify/x', method: 'HEAD', status: 200 },
};

function request(form: Form, credentials: string): Promise<RawResponse> {
  const { method = 'GET', target = '/v1/verify', version = '1.1', fields = usual, body } = form;
  return send(`${method} ${target} HTTP/${version}\r\n${fields}${credentials}`, body);
}

/** The fields that differ from one response to the next, or concern only the connection. */
const variableFields =
  /^(date|connection|keep-alive|content-length|x-ratelimit-(remaining|reset)|retry-after)$/;

/** The fields that must be equal for every form. */
function fieldsOf({ headers }: RawResponse): Record<string, string> {
  const stable = [...headers].filter(([name]) => !variableFields.test(name));
  return Object.fromEntries(stable.map(([name, value]) => [name, normalize(value)]));
}

function normalize(text: string): string {
  return text
    .replace(/req_[0-9a-z]+/g, 'req_')
    .replace(/"timestamp":"[^"]+"/g, '')
    .replace(/r=\d+;t=\d+/, 'r;t')
    .replace(/in \d+ seconds?/g, 'in some seconds');
}

const unknownKey = generateKey();

for (const [what, credentials, status] of [
  ['a valid key', bearer(valid.apiKey), 204],
  ['a key without a limit', bearer(free.apiKey), 204],
  ['no key', '', 401],
  ['a revoked key', bearer(revoked.apiKey), 401],
  ['an unknown key', bearer(unknownKey), 401],
  ['a key over its limit', bearer(spent.apiKey), 429],
] as const) {
  test(`${what} gets the same response to a request of any form`, async () => {
    await withinOneMinute(async () => {
      // Uses up the limit of a key that has one.
      if (status === 429) await request({}, credentials);
      const expected = await request({}, credentials);
      assert.equal(expected.status, status);
      const fields = fieldsOf(expected);
      assert.ok(Object.keys(fields).length >= 5, JSON.stringify(fields));
      for (const [name, form] of Object.entries(forms)) {
        const response = await request(form, credentials);
        assert.equal(response.status, status === 204 ? (form.status ?? 204) : status, name);
        assert.deepEqual(fieldsOf(response), fields, name);
        assert.equal(normalize(response.body), form.method === 'HEAD' ? '' : normalize(expected.body), name);
        // RFC 9110 section 8.6: a 204 must not have one.
        assert.equal(response.headers.has('content-length'), response.status !== 204, name);
      }
    });
  });
}

test('a key in the original URL that a proxy reports is detected', async () => {
  for (const name of ['X-Original-URI', 'x-forwarded-uri']) {
    const response = await request({}, `${name}: /orders?api_key=${valid.apiKey}\r\n`);
    assert.equal(JSON.parse(response.body).error.code, 'key_in_query');
  }
});

test('credentials of any bytes are rejected with 401', async () => {
  for (const value of ['\u00ff', toLatin1('Bearer ключ'), 'Bearer \u0080', `Bearer ${'a'.repeat(9000)}`]) {
    assert.equal((await request({}, authorization(value))).status, 401);
  }
});

test('other paths and methods are not found', async () => {
  for (const form of [
    ...['/v1/verified', '/v1/VERIFY', '//v1/verify', '/v1/verify%2fa', '/v1/verify;x'].map((target) => ({
      target,
    })),
    ...['PUT', 'DELETE', 'PROPFIND', 'OPTIONS'].map((method) => ({ method })),
  ]) {
    const response = await request(form, bearer(valid.apiKey));
    assert.equal(response.status, 404, JSON.stringify(form));
    assert.equal(JSON.parse(response.body).error.code, 'not_found');
  }
  const undecodable = await request({ target: '/v1/verif%79/%E9' }, bearer(valid.apiKey));
  assert.equal(undecodable.status, 400);
});

test('pipelined requests get their responses in order', async () => {
  const socket = await HttpSocket.open(server.url);
  const head = (line: string, fields: string) => `${line} HTTP/1.1\r\n${usual}${fields}\r\n`;
  const kinds = [
    { bytes: head('GET /v1/verify', bearer(valid.apiKey)), status: 204 },
    { bytes: head('GET /v1/verify', ''), status: 401 },
    { bytes: head('POST /v1/verify/x', `Content-Length: 0\r\n${bearer(valid.apiKey)}`), status: 200 },
    { bytes: head('GET /healthz', ''), status: 200 },
    { bytes: head('GET /v1/verified', ''), status: 404 },
  ];
  const sent = Array.from({ length: 200 }, (_, i) => kinds[(i * 7) % kinds.length] ?? kinds[0]);
  const statuses = await Promise.all(
    sent.map(async (kind) => [(await socket.send(kind?.bytes ?? '')).status, kind?.status]),
  );
  for (const [status, expected] of statuses) assert.equal(status, expected);
  assert.equal(new Set(statuses.map(([status]) => status)).size, 4);
  socket.close();
});

test('the server closes a connection if the client requests it', async () => {
  for (const [version, fields] of [
    ['1.1', 'Connection: close\r\n'],
    ['1.0', ''],
  ]) {
    const socket = await HttpSocket.open(server.url);
    const head = `GET /v1/verify HTTP/${version}\r\nHost: x\r\n${fields}${bearer(valid.apiKey)}\r\n`;
    const response = await socket.send(head);
    assert.equal(response.status, 204);
    assert.equal(response.headers.get('connection'), 'close');
    await socket.closed();
  }
});

test('malformed HTTP gets the same rejection as on other paths', async () => {
  const line = 'GET /v1/verify HTTP/1.1\r\n';
  for (const head of [
    line,
    `${line}Host: a\r\nHost: b\r\n`,
    `GET /v1/verify?${'a'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n`,
    `POST /v1/verify/${'a'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n`,
    'PUT /v1/verify/x HTTP/1.1\r\n',
  ]) {
    const response = await send(`${head}${bearer(valid.apiKey)}`);
    const otherPath = await send(`${head.replace('/v1/verify', '/v1/others')}${bearer(valid.apiKey)}`);
    assert.equal(response.status, 400);
    assert.equal(JSON.parse(response.body).error.code, 'invalid_request');
    assert.equal(normalize(response.body), normalize(otherPath.body));
  }
});

test('a POST without a body and without a Content-Length is accepted', async () => {
  const { key } = await ada.createKey({ name: 'to revoke without a body' });
  const manager = await ada.createKey({ name: 'manager', scopes: ['keys:write'] });
  for (const type of ['Content-Type: application/json\r\n', '']) {
    const path = `/v1/api-keys/${key.id}/revoke`;
    const response = await send(`POST ${path} HTTP/1.1\r\nHost: x\r\n${type}${bearer(manager.apiKey)}`);
    assert.equal(response.status, 200);
  }
});
