/** POST /v1/verify with several keys, and with its body in every form that HTTP allows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verificationSchema, verificationsSchema } from '@soku/contract/verification';
import { generateKey } from '@soku/key';
import { assertProblem, Contract } from '../support/contract.ts';
import { HttpSocket } from '../support/http-socket.ts';
import { withinOneMinute } from '../support/limits.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';
import { ada as adasAccount, bob as bobsAccount, startWithTwoAccounts } from '../support/two-accounts.ts';

const server = await sharedServer();
const ada = await openSession(server);
const contract = await Contract.of(server);
const caller = await ada.createKey({ name: 'back end', scopes: ['keys:verify'], rateLimit: 1 });

async function verify(apiKeys: readonly string[], more: object = {}) {
  const response = await contract.call('POST', '/v1/verify', {
    key: caller.apiKey,
    body: { apiKeys, ...more },
  });
  assert.equal(response.status, 200, response.text);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  return verificationsSchema.parse(response.body).data;
}

test('several keys get results in order, each the same as if sent alone', async () => {
  const valid = await ada.createKey({ name: 'good', scopes: ['keys:read'] });
  const unscoped = await ada.createKey({ name: 'without scopes' });
  const revoked = await ada.createKey({ name: 'revoked', scopes: ['keys:read'] });
  await ada.revoke(revoked.key.id);
  const keys = [revoked, unscoped, valid].map(({ apiKey }) => apiKey);
  const all = [...keys, generateKey(), 'sk_live_short', '', ...keys];
  const results = await verify(all, { scopes: ['keys:read'] });
  assert.deepEqual(
    results.map(({ code }) => code),
    [
      'revoked_key',
      'insufficient_scope',
      'valid',
      'unknown_key',
      'malformed_key',
      'malformed_key',
      'revoked_key',
      'insufficient_scope',
      'valid',
    ],
  );
  for (const [i, apiKey] of all.entries()) {
    const alone = await contract.call('POST', '/v1/verify', {
      key: caller.apiKey,
      body: { apiKey, scopes: ['keys:read'] },
    });
    const { rateLimit: _now, ...result } = verificationSchema.parse(alone.body);
    const { rateLimit: _then, ...inBatch } = results[i] ?? {};
    assert.deepEqual(inBatch, result);
  }
});

test('each key counts against its own limit, once per occurrence', async () => {
  await withinOneMinute(async () => {
    const twice = await ada.createKey({ name: 'twice', rateLimit: 2 });
    const once = await ada.createKey({ name: 'once', rateLimit: 1 });
    const results = await verify([twice, once, twice, twice, once].map(({ apiKey }) => apiKey));
    assert.deepEqual(
      results.map(({ code, rateLimit }) => [code, rateLimit?.remaining]),
      [
        ['valid', 1],
        ['valid', 0],
        ['valid', 0],
        ['rate_limited', 0],
        ['rate_limited', 0],
      ],
    );
  });
});

test('a request has either one key or a list of 1 to 100 keys', async () => {
  const { apiKey } = await ada.createKey({ name: 'many times' });
  assert.equal((await verify(new Array(100).fill(apiKey))).filter(({ valid }) => valid).length, 100);
  for (const [body, path] of [
    [{ apiKeys: [] }, 'apiKeys'],
    [{ apiKeys: new Array(101).fill(apiKey) }, 'apiKeys'],
    [{ apiKeys: apiKey }, 'apiKeys'],
    [{ apiKeys: [apiKey, 1] }, 'apiKeys.1'],
    [{ apiKeys: [apiKey], apiKey }, 'apiKey'],
    [{ scopes: [] }, 'apiKey'],
  ] as const) {
    const response = await contract.call('POST', '/v1/verify', { key: caller.apiKey, body });
    const { details } = assertProblem(response, 'invalid_request');
    assert.equal(details?.[0]?.path, path, response.text);
    assert.ok(!response.text.includes(apiKey.slice(8)), response.text);
  }
});

test('in a batch, unknown keys and keys of other workspaces count against the address limit', async (t) => {
  const apart = await startWithTwoAccounts({ SOKU_VERIFY_SCOPE: 'workspace', SOKU_ADDRESS_RATE_LIMIT: '3' });
  t.after(apart.stop);
  const [here, there] = [
    await openSession(apart.server, adasAccount),
    await openSession(apart.server, bobsAccount),
  ];
  const backEnd = await here.createKey({ name: 'back end', scopes: ['keys:verify'] });
  const own = await here.createKey({ name: 'own' });
  const foreign = await there.createKey({ name: 'foreign' });
  const at = await Contract.of(apart.server);
  const apiKeys = [generateKey(), foreign.apiKey, generateKey(), foreign.apiKey, own.apiKey];
  let addresses = 0;
  await withinOneMinute(async () => {
    addresses += 1;
    const body = { apiKeys, ip: `192.0.2.${addresses}` };
    const response = await at.call('POST', '/v1/verify', { key: backEnd.apiKey, body });
    assert.deepEqual(
      verificationsSchema.parse(response.body).data.map(({ code }) => code),
      ['unknown_key', 'unknown_key', 'unknown_key', 'rate_limited', 'valid'],
    );
  });
});

interface Form {
  version?: string;
  target?: string;
  /** Each line ends with CR LF. Default: the content type and the length of the body. */
  fields?: string;
  /** Default: the JSON of the test. */
  body?: string;
}

/** Sends a request over a new connection. */
async function send({ version = '1.1', target = '/v1/verify', fields, body }: Form, json: string) {
  const sent = body ?? json;
  const own = fields ?? `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(sent)}\r\n`;
  const head = `POST ${target} HTTP/${version}\r\nHost: localhost\r\nAuthorization: Bearer ${caller.apiKey}\r\n`;
  const socket = await HttpSocket.open(server.url);
  try {
    return await socket.send(`${head}${own}\r\n${sent}`);
  } finally {
    socket.close();
  }
}

test('every form of a request gets the same response', async () => {
  const { apiKey } = await ada.createKey({ name: 'Größe', rateLimit: 'off' });
  const json = JSON.stringify({ apiKey });
  const length = `Content-Length: ${json.length}\r\n`;
  const contentType = 'Content-Type: application/json\r\n';
  const expected = await send({}, json);
  assert.equal(verificationSchema.parse(JSON.parse(expected.body)).valid, true);
  const chunk = `${json.length.toString(16)}\r\n${json}\r\n0\r\n\r\n`;
  const forms: Record<string, Form> = {
    'a charset': { fields: `Content-Type: application/json; charset=utf-8\r\n${length}` },
    'a quoted charset': { fields: `content-type: application/json;charset="UTF-8"\r\n${length}` },
    chunks: { fields: `${contentType}Transfer-Encoding: chunked\r\n`, body: chunk },
    'a query': { target: '/v1/verify?page=1' },
    'a connection to close': { fields: `${contentType}${length}Connection: close\r\n` },
    'HTTP/1.0': { version: '1.0' },
    'an origin': { fields: `${contentType}${length}Origin: https://example.com\r\n` },
    'a foreign cookie': { fields: `${contentType}${length}Cookie: theme=dark\r\n` },
    'a body that waits': { fields: `${contentType}${length}Expect: 100-continue\r\n` },
  };
  for (const [what, form] of Object.entries(forms)) {
    const { status, body, headers } = await send(form, json);
    assert.deepEqual([status, body], [200, expected.body], what);
    assert.equal(headers.get('cache-control'), 'no-store', what);
    assert.match(headers.get('x-request-id') ?? '', /^req_\w+$/, what);
  }
});

test('an error in any part of a request is reported', async () => {
  const { apiKey } = await ada.createKey({ name: 'in a broken body' });
  const json = JSON.stringify({ apiKey });
  const length = `Content-Length: ${json.length}\r\n`;
  const contentType = 'Content-Type: application/json\r\n';
  const forms: [Form, number][] = [
    [{ body: json.slice(1) }, 400],
    [{ body: '' }, 400],
    [{ body: `{"apiKey":"${apiKey}","__proto__":{}}` }, 400],
    [{ body: `[${json}]` }, 400],
    [{ fields: `Content-Type: text/plain\r\n${length}` }, 415],
    [{ fields: `Content-Type: application/json; charset=latin1\r\n${length}` }, 400],
    [{ body: `{"apiKey":"${'a'.repeat(70_000)}"}` }, 413],
    [{ fields: `${contentType}Content-Encoding: gzip\r\n${length}` }, 200],
    [{ fields: `${contentType}${length}X-Soku-Workspace: another\r\n` }, 404],
    [{ fields: `${contentType}${length}Authorization: Bearer ${caller.apiKey}\r\n` }, 401],
    [{ fields: `${contentType}${length}Host: b\r\n` }, 400],
  ];
  for (const [form, status] of forms) {
    const response = await send(form, json);
    assert.equal(response.status, status, `${JSON.stringify(form).slice(0, 200)}: ${response.body}`);
    assert.ok(!response.body.includes(apiKey.slice(8)));
  }
});

test('pipelined requests get their responses in order', async () => {
  const keys = await Promise.all([1, 2, 3].map((n) => ada.createKey({ name: `in line ${n}` })));
  const socket = await HttpSocket.open(server.url);
  try {
    const responses = keys.map(({ apiKey }) => {
      const body = JSON.stringify({ apiKey });
      return socket.send(
        `POST /v1/verify HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${caller.apiKey}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    });
    for (const [i, response] of (await Promise.all(responses)).entries()) {
      assert.equal(verificationSchema.parse(JSON.parse(response.body)).key?.id, keys[i]?.key.id);
    }
  } finally {
    socket.close();
  }
});
