/** Text and numbers that a database may be unable to store are rejected before they reach it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createdKeySchema } from '@soku/contract/keys';
import { z } from 'zod';
import { assertProblem } from '../support/contract.ts';
import { callWithFields } from '../support/http.ts';
import { call } from '../support/person.ts';
import { owner } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { proxyAndWebhookEnv, sharedServer } from '../support/shared-server.ts';

const server = await sharedServer(proxyAndWebhookEnv);
const ada = await openSession(server);
const { key } = await ada.createKey({ name: 'plain' });

/** PostgreSQL text cannot contain NUL, and UTF-8 cannot encode half of a surrogate pair. */
const unstorable = ['\0', 'a\0b', '\ud800', 'a\udfffb'];

/** Bodies with the text in each possible field. */
const bodies: [method: string, path: string, body: (text: string) => Record<string, unknown>][] = [
  ['POST', '/v1/api-keys', (name) => ({ name })],
  ['POST', '/v1/api-keys', (text) => ({ name: 'x', expiresAt: text })],
  ['POST', '/v1/api-keys', (text) => ({ name: 'x', scopes: [text] })],
  ['POST', '/v1/api-keys', (text) => ({ name: 'x', rateLimit: text })],
  ['PATCH', `/v1/api-keys/${key.id}`, (name) => ({ name })],
  ['PATCH', '/v1/workspace', (rateLimit) => ({ rateLimit })],
  ['PUT', '/v1/scopes', (name) => ({ scopes: [{ name }] })],
  ['PUT', '/v1/scopes', (description) => ({ scopes: [{ name: 'a', description }] })],
  ['POST', '/api/auth/update-user', (name) => ({ name })],
  ['POST', '/api/auth/revoke-session', (id) => ({ id })],
  ['POST', '/api/auth/sign-in/email', (email) => ({ email, password: owner.password })],
  ['POST', '/api/setup', (email) => ({ code: 'x', name: 'Eve', email, password: owner.password })],
  ['POST', '/api/setup', (name) => ({ code: 'x', name, email: 'eve@example.com', password: owner.password })],
  ['POST', '/api/setup', (code) => ({ ...owner, code, name: 'Eve' })],
];

for (const [method, path, body] of bodies) {
  const field = Object.entries(body('?')).find(([, value]) => JSON.stringify(value).includes('?'))?.[0];
  test(`${method} ${path.replace(key.id, 'ID')} rejects text that cannot be stored as ${field}`, async () => {
    for (const text of unstorable) {
      assertProblem(await ada.call(method, path, body(text)), 'invalid_request');
    }
  });
}

test('a wrong password may contain any text, because it is only hashed', async () => {
  for (const [i, password] of unstorable.entries()) {
    const response = await call(`${server.url}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { 'x-forwarded-for': `192.0.2.${i + 1}` },
      body: { ...owner, password },
    });
    assert.equal(response.status, 401, response.text);
  }
});

test('text that cannot be stored is rejected in a URL, and does no harm in a header', async () => {
  const encoded = ['%00', 'a%00b', '%ED%A0%80'];
  for (const text of encoded) {
    for (const path of [
      `/v1/api-keys?q=${text}`,
      `/v1/api-keys?cursor=${text}`,
      `/v1/api-keys/${text}`,
      ...['actorId', 'targetId', 'keyId', 'cursor'].map((name) => `/v1/audit?${name}=${text}`),
      `/v1/api-keys/${text}/usage`,
      `/${text}`,
    ]) {
      const { status } = await ada.call('GET', path);
      assert.ok(status >= 400 && status < 500, `${path}: ${status}`);
    }
    for (const name of ['User-Agent', 'Idempotency-Key', 'X-Soku-Workspace', 'X-Forwarded-For', 'Cookie']) {
      const fields = [['Cookie', ada.cookie] as const, [name, text] as const];
      const { status } = await callWithFields(`${server.url}/v1/api-keys`, { fields });
      assert.ok(status < 500, `${name}: ${status}`);
      const cookie = { cookie: `soku_session=${text}.${text}` };
      assert.equal((await call(`${server.url}/v1/api-keys`, { headers: cookie })).status, 401);
    }
  }
});

test('a body that is not UTF-8 is rejected, and never stored with replacement characters', async () => {
  const { apiKey } = await ada.createKey({ name: 'verifier', scopes: ['keys:verify', 'keys:write'] });
  const latin1 = (text: string) => Buffer.from(text, 'latin1');
  const utf8 = Buffer.from('{"name":"café"}');
  const send = (method: string, path: string, body: Uint8Array, type = 'application/json') => {
    const caller: [string, string] = path.startsWith('/v1/')
      ? ['Authorization', `Bearer ${apiKey}`]
      : ['Cookie', ada.cookie];
    const fields = [caller, ['Content-Type', type] as const];
    return callWithFields(`${server.url}${path}`, { method, fields, body });
  };
  const calls: [method: string, path: string, body: string][] = [
    ['POST', '/v1/api-keys', '{"name":"café"}'],
    ['PATCH', `/v1/api-keys/${key.id}`, '{"name":"café"}'],
    ['POST', '/v1/verify', '{"apiKey":"café"}'],
    ['POST', '/api/auth/update-user', '{"name":"café"}'],
    ['POST', '/api/auth/sign-in/email', '{"email":"ada@example.com","password":"café"}'],
    ['POST', '/api/setup', '{"code":"café"}'],
  ];
  for (const [method, path, body] of calls) {
    const error = assertProblem(await send(method, path, latin1(body)), 'invalid_request');
    assert.match(error.message, /not UTF-8/, path);
  }
  for (const charset of ['iso-8859-1', '"ISO-8859-1"', 'utf-16', 'us-ascii', '', 'utf-8; charset=latin1']) {
    const type = `application/json; charset=${charset}`;
    assertProblem(await send('POST', '/v1/api-keys', utf8, type), 'invalid_request');
  }
  const cutOff = [utf8.subarray(0, -3), Buffer.from('"}')];
  assertProblem(await send('POST', '/v1/api-keys', Buffer.concat(cutOff)), 'invalid_request');
  assertProblem(
    await send('POST', '/v1/api-keys', Buffer.from('{"name":"x"}', 'utf16le')),
    'invalid_request',
  );
  for (const charset of ['utf-8', 'UTF-8', '"utf-8"', 'utf8']) {
    const type = `application/json; charset=${charset}`;
    const created = await send('POST', '/v1/api-keys', utf8, type);
    assert.equal(createdKeySchema.parse(created.body).key.name, 'café');
  }
  const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), utf8]);
  assert.equal((await send('POST', '/v1/api-keys', marked)).status, 201, 'a byte order mark is ignored');
  const names = z.object({ data: z.array(z.object({ name: z.string() })) });
  const { data } = names.parse((await ada.call('GET', '/v1/api-keys?limit=100')).body);
  assert.ok(data.every(({ name }) => !name.includes('\ufffd')));
});

test('numbers that no column can store are rejected', async () => {
  for (const rateLimit of [2 ** 31, 2 ** 53, 2 ** 63, 1e308, -1, 0.5]) {
    for (const [method, path] of [
      ['POST', '/v1/api-keys'],
      ['PATCH', '/v1/workspace'],
    ] as const) {
      const body = { ...(method === 'POST' ? { name: 'x' } : {}), rateLimit };
      assertProblem(await ada.call(method, path, body), 'invalid_request');
    }
  }
  for (const limit of ['1e308', '99999999999999999999', '-1', 'NaN']) {
    assertProblem(await ada.call('GET', `/v1/api-keys?limit=${limit}`), 'invalid_request');
  }
  assert.doesNotMatch(server.output, /request failed with an internal error/);
});
