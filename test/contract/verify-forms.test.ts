/**
 * GET /v1/verify in every form that HTTP allows a request: on a connection that stays or closes, with a body, with the
 * whole URL in the request line. Each form gets the response of the usual one.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKey } from '@soku/key';
import { latin1 } from '../support/http.ts';
import { HttpSocket, type RawResponse } from '../support/http-socket.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';

const server = await sharedServer();
const ada = await openSession(server);
const good = await ada.makeKey({ name: 'Größe "1"', scopes: ['keys:read', 'keys:write'], rateLimit: 1000 });
const free = await ada.makeKey({ name: 'free', rateLimit: 'off' });
const spent = await ada.makeKey({ name: 'spent', rateLimit: 1 });
const revoked = await ada.makeKey({ name: 'revoked' });
await ada.revoke(revoked.key.id);

const authorization = (value: string) => `Authorization: ${value}\r\n`;
const bearer = (apiKey: string) => authorization(`Bearer ${apiKey}`);

/** Sends one request over a connection of its own. */
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
  /** Of a key that is accepted. */
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
  'no body, said so': { fields: `${usual}Content-Length: 0\r\n` },
  'a body': { fields: `${usual}Content-Type: text/plain\r\nContent-Length: 2\r\n`, body: '{x' },
  'chunks of a body': { fields: `${usual}Transfer-Encoding: chunked\r\n`, body: '2\r\n{}\r\n0\r\n\r\n' },
  'a body that waits': { fields: `${usual}Content-Length: 2\r\nExpect: 100-continue\r\n`, body: '{}' },
  'another expectation': { fields: `${usual}Expect: wonders\r\n` },
  'an offer of another protocol': { fields: `${usual}Connection: Upgrade\r\nUpgrade: h2c\r\n` },
  'a connection to close': { fields: `${usual}Connection: close\r\n` },
  'HTTP/1.0': { version: '1.0', fields: '' },
  'HTTP/1.0 on a connection that stays': { version: '1.0', fields: 'Connection: keep-alive\r\n' },
  HEAD: { method: 'HEAD' },
  'a HEAD to close': { method: 'HEAD', fields: `${usual}Connection: close\r\n` },
  'a path below': { target: '/v1/verify/orders/%E9?page=%E9', status: 200 },
  'nothing below': { target: '/v1/verify/', status: 200 },
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

function ask(form: Form, credentials: string): Promise<RawResponse> {
  const { method = 'GET', target = '/v1/verify', version = '1.1', fields = usual, body } = form;
  return send(`${method} ${target} HTTP/${version}\r\n${fields}${credentials}`, body);
}

/** What differs from one response to the next, or is about the connection alone. */
const passing = /^(date|connection|keep-alive|content-length|x-ratelimit-(remaining|reset)|retry-after)$/;

/** The fields that the response to any form has. */
function fieldsOf({ headers }: RawResponse): Record<string, string> {
  const kept = [...headers].filter(([name]) => !passing.test(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, steady(value)]));
}

function steady(text: string): string {
  return text
    .replace(/req_[0-9a-z]+/g, 'req_')
    .replace(/"timestamp":"[^"]+"/g, '')
    .replace(/r=\d+;t=\d+/, 'r;t')
    .replace(/in \d+ seconds?/g, 'in some seconds');
}

const unknownKey = generateKey();
await send(`GET /v1/verify HTTP/1.1\r\n${usual}${bearer(spent.apiKey)}`);

for (const [what, credentials, status] of [
  ['a good key', bearer(good.apiKey), 204],
  ['a key without a limit', bearer(free.apiKey), 204],
  ['no key', '', 401],
  ['a revoked key', bearer(revoked.apiKey), 401],
  ['an unknown key', bearer(unknownKey), 401],
  ['a key over its limit', bearer(spent.apiKey), 429],
] as const) {
  test(`${what} gets the same response to a request of any form`, async () => {
    const expected = await ask({}, credentials);
    assert.equal(expected.status, status);
    const fields = fieldsOf(expected);
    assert.ok(Object.keys(fields).length >= 5, JSON.stringify(fields));
    for (const [name, form] of Object.entries(forms)) {
      const answer = await ask(form, credentials);
      assert.equal(answer.status, status === 204 ? (form.status ?? 204) : status, name);
      assert.deepEqual(fieldsOf(answer), fields, name);
      assert.equal(steady(answer.body), form.method === 'HEAD' ? '' : steady(expected.body), name);
      // RFC 9110 section 8.6: of a 204 there is none.
      assert.equal(answer.headers.has('content-length'), answer.status !== 204, name);
    }
  });
}

test('the original request of a proxy is read', async () => {
  for (const name of ['X-Original-URI', 'x-forwarded-uri']) {
    const answer = await ask({}, `${name}: /orders?api_key=${good.apiKey}\r\n`);
    assert.equal(JSON.parse(answer.body).error.code, 'key_in_query');
  }
});

test('header fields of any bytes', async () => {
  for (const value of ['\u00ff', latin1('Bearer ключ'), 'Bearer \u0080', `Bearer ${'a'.repeat(9000)}`]) {
    assert.equal((await ask({}, authorization(value))).status, 401);
  }
});

test('only the paths and methods that are taken are answered', async () => {
  for (const form of [
    ...['/v1/verified', '/v1/VERIFY', '//v1/verify', '/v1/verify%2fa', '/v1/verify;x'].map((target) => ({
      target,
    })),
    ...['PUT', 'DELETE', 'PROPFIND', 'OPTIONS'].map((method) => ({ method })),
  ]) {
    const answer = await ask(form, bearer(good.apiKey));
    assert.equal(answer.status, 404, JSON.stringify(form));
    assert.equal(JSON.parse(answer.body).error.code, 'not_found');
  }
  const undecodable = await ask({ target: '/v1/verif%79/%E9' }, bearer(good.apiKey));
  assert.equal(undecodable.status, 400);
});

test('responses on one connection come in the order of their requests', async () => {
  const socket = await HttpSocket.open(server.url);
  const head = (line: string, fields: string) => `${line} HTTP/1.1\r\n${usual}${fields}\r\n`;
  const kinds = [
    { bytes: head('GET /v1/verify', bearer(good.apiKey)), status: 204 },
    { bytes: head('GET /v1/verify', ''), status: 401 },
    { bytes: head('POST /v1/verify/x', `Content-Length: 0\r\n${bearer(good.apiKey)}`), status: 200 },
    { bytes: head('GET /healthz', ''), status: 200 },
    { bytes: head('GET /v1/verified', ''), status: 404 },
  ];
  const sent = Array.from({ length: 200 }, (_, i) => kinds[(i * 7) % kinds.length] ?? kinds[0]);
  const answers = await Promise.all(
    sent.map(async (kind) => [(await socket.send(kind?.bytes ?? '')).status, kind?.status]),
  );
  for (const [status, expected] of answers) assert.equal(status, expected);
  assert.equal(new Set(answers.map(([status]) => status)).size, 4);
  socket.close();
});

test('a connection that shall be closed is closed', async () => {
  for (const [version, fields] of [
    ['1.1', 'Connection: close\r\n'],
    ['1.0', ''],
  ]) {
    const socket = await HttpSocket.open(server.url);
    const head = `GET /v1/verify HTTP/${version}\r\nHost: x\r\n${fields}${bearer(good.apiKey)}\r\n`;
    const answer = await socket.send(head);
    assert.equal(answer.status, 204);
    assert.equal(answer.headers.get('connection'), 'close');
    await socket.closed();
  }
});

test('what is not well-formed HTTP is rejected as elsewhere', async () => {
  const line = 'GET /v1/verify HTTP/1.1\r\n';
  for (const head of [
    line,
    `${line}Host: a\r\nHost: b\r\n`,
    `GET /v1/verify?${'a'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n`,
    `POST /v1/verify/${'a'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n`,
    'PUT /v1/verify/x HTTP/1.1\r\n',
  ]) {
    const ours = await send(`${head}${bearer(good.apiKey)}`);
    const elsewhere = await send(`${head.replace('/v1/verify', '/v1/others')}${bearer(good.apiKey)}`);
    assert.equal(ours.status, 400);
    assert.equal(JSON.parse(ours.body).error.code, 'invalid_request');
    assert.equal(steady(ours.body), steady(elsewhere.body));
  }
});

test('a POST without a body, its length left out, is answered', async () => {
  const { key } = await ada.makeKey({ name: 'to revoke without a body' });
  const manager = await ada.makeKey({ name: 'manager', scopes: ['keys:write'] });
  for (const type of ['Content-Type: application/json\r\n', '']) {
    const path = `/v1/api-keys/${key.id}/revoke`;
    const answer = await send(`POST ${path} HTTP/1.1\r\nHost: x\r\n${type}${bearer(manager.apiKey)}`);
    assert.equal(answer.status, 200);
  }
});
