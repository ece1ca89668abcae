/** POST /v1/verify with several keys, and in the forms that HTTP allows its body. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verificationSchema, verificationsSchema } from '@soku/contract/verification';
import { generateKey } from '@soku/key';
import { assertProblem, Contract } from '../support/contract.ts';
import { HttpSocket } from '../support/http-socket.ts';
import { openSession } from '../support/session.ts';
import { sharedServer } from '../support/shared-server.ts';
import { ada as adasAccount, bob as bobsAccount, startWithTwoAccounts } from '../support/two-accounts.ts';

const server = await sharedServer();
const ada = await openSession(server);
const contract = await Contract.of(server);
const asking = await ada.makeKey({ name: 'back end', scopes: ['keys:verify'], rateLimit: 1 });

async function verify(apiKeys: readonly string[], more: object = {}) {
  const answer = await contract.call('POST', '/v1/verify', {
    key: asking.apiKey,
    body: { apiKeys, ...more },
  });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  return verificationsSchema.parse(answer.body).data;
}

test('several keys are answered in their order, each as if it came alone', async () => {
  const good = await ada.makeKey({ name: 'good', scopes: ['keys:read'] });
  const poor = await ada.makeKey({ name: 'without scopes' });
  const revoked = await ada.makeKey({ name: 'revoked', scopes: ['keys:read'] });
  await ada.revoke(revoked.key.id);
  const keys = [revoked, poor, good].map(({ apiKey }) => apiKey);
  const all = [...keys, generateKey(), 'sk_live_short', '', ...keys];
  const answers = await verify(all, { scopes: ['keys:read'] });
  assert.deepEqual(
    answers.map(({ code }) => code),
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
      key: asking.apiKey,
      body: { apiKey, scopes: ['keys:read'] },
    });
    const { rateLimit: _now, ...single } = verificationSchema.parse(alone.body);
    const { rateLimit: _then, ...inBatch } = answers[i] ?? {};
    assert.deepEqual(inBatch, single);
  }
});

test('each key counts against its own limit, as often as it comes', async () => {
  const twice = await ada.makeKey({ name: 'twice', rateLimit: 2 });
  const once = await ada.makeKey({ name: 'once', rateLimit: 1 });
  const answers = await verify([twice, once, twice, twice, once].map(({ apiKey }) => apiKey));
  assert.deepEqual(
    answers.map(({ code, rateLimit }) => [code, rateLimit?.remaining]),
    [
      ['valid', 1],
      ['valid', 0],
      ['valid', 0],
      ['rate_limited', 0],
      ['rate_limited', 0],
    ],
  );
});

test('from 1 to 100 keys are taken, and either one key or several', async () => {
  const { apiKey } = await ada.makeKey({ name: 'many times' });
  assert.equal((await verify(new Array(100).fill(apiKey))).filter(({ valid }) => valid).length, 100);
  for (const [body, path] of [
    [{ apiKeys: [] }, 'apiKeys'],
    [{ apiKeys: new Array(101).fill(apiKey) }, 'apiKeys'],
    [{ apiKeys: apiKey }, 'apiKeys'],
    [{ apiKeys: [apiKey, 1] }, 'apiKeys.1'],
    [{ apiKeys: [apiKey], apiKey }, 'apiKey'],
    [{ scopes: [] }, 'apiKey'],
  ] as const) {
    const answer = await contract.call('POST', '/v1/verify', { key: asking.apiKey, body });
    const { details } = assertProblem(answer, 'invalid_request');
    assert.equal(details?.[0]?.path, path, answer.text);
    assert.ok(!answer.text.includes(apiKey.slice(8)), answer.text);
  }
});

test('in a batch, unknown keys count against the address, and keys of other workspaces can be unknown', async (t) => {
  const apart = await startWithTwoAccounts({ SOKU_VERIFY_SCOPE: 'workspace', SOKU_ADDRESS_RATE_LIMIT: '3' });
  t.after(apart.stop);
  const [here, there] = [
    await openSession(apart.server, adasAccount),
    await openSession(apart.server, bobsAccount),
  ];
  const back = await here.makeKey({ name: 'back end', scopes: ['keys:verify'] });
  const own = await here.makeKey({ name: 'own' });
  const foreign = await there.makeKey({ name: 'foreign' });
  const at = await Contract.of(apart.server);
  const apiKeys = [generateKey(), foreign.apiKey, generateKey(), foreign.apiKey, own.apiKey];
  const answer = await at.call('POST', '/v1/verify', {
    key: back.apiKey,
    body: { apiKeys, ip: '192.0.2.1' },
  });
  assert.deepEqual(
    verificationsSchema.parse(answer.body).data.map(({ code }) => code),
    ['unknown_key', 'unknown_key', 'unknown_key', 'rate_limited', 'valid'],
  );
});

interface Form {
  version?: string;
  target?: string;
  /** Each line ended by CR LF. Default: the length of the body. */
  fields?: string;
  /** Default: the question. */
  body?: string;
}

/** Sends a request, its body in two parts, over a connection of its own. */
async function send({ version = '1.1', target = '/v1/verify', fields, body }: Form, question: string) {
  const sent = body ?? question;
  const own = fields ?? `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(sent)}\r\n`;
  const head = `POST ${target} HTTP/${version}\r\nHost: localhost\r\nAuthorization: Bearer ${asking.apiKey}\r\n`;
  const socket = await HttpSocket.open(server.url);
  try {
    return await socket.send(`${head}${own}\r\n${sent}`);
  } finally {
    socket.close();
  }
}

test('every form of a request has the same answer', async () => {
  const { apiKey } = await ada.makeKey({ name: 'Größe', rateLimit: 'off' });
  const question = JSON.stringify({ apiKey });
  const length = `Content-Length: ${question.length}\r\n`;
  const json = 'Content-Type: application/json\r\n';
  const expected = await send({}, question);
  assert.equal(verificationSchema.parse(JSON.parse(expected.body)).valid, true);
  const chunk = `${question.length.toString(16)}\r\n${question}\r\n0\r\n\r\n`;
  const forms: Record<string, Form> = {
    'a charset': { fields: `Content-Type: application/json; charset=utf-8\r\n${length}` },
    'a quoted charset': { fields: `content-type: application/json;charset="UTF-8"\r\n${length}` },
    chunks: { fields: `${json}Transfer-Encoding: chunked\r\n`, body: chunk },
    'a query': { target: '/v1/verify?page=1' },
    'a connection to close': { fields: `${json}${length}Connection: close\r\n` },
    'HTTP/1.0': { version: '1.0' },
    'an origin': { fields: `${json}${length}Origin: https://example.com\r\n` },
    'a foreign cookie': { fields: `${json}${length}Cookie: theme=dark\r\n` },
    'a body that waits': { fields: `${json}${length}Expect: 100-continue\r\n` },
  };
  for (const [what, form] of Object.entries(forms)) {
    const { status, body, headers } = await send(form, question);
    assert.deepEqual([status, body], [200, expected.body], what);
    assert.equal(headers.get('cache-control'), 'no-store', what);
    assert.match(headers.get('x-request-id') ?? '', /^req_\w+$/, what);
  }
});

test('what is wrong with a request shows in the answer, wherever it is', async () => {
  const { apiKey } = await ada.makeKey({ name: 'in a broken body' });
  const question = JSON.stringify({ apiKey });
  const length = `Content-Length: ${question.length}\r\n`;
  const json = 'Content-Type: application/json\r\n';
  const forms: [Form, number][] = [
    [{ body: question.slice(1) }, 400],
    [{ body: '' }, 400],
    [{ body: `{"apiKey":"${apiKey}","__proto__":{}}` }, 400],
    [{ body: `[${question}]` }, 400],
    [{ fields: `Content-Type: text/plain\r\n${length}` }, 415],
    [{ fields: `Content-Type: application/json; charset=latin1\r\n${length}` }, 400],
    [{ body: `{"apiKey":"${'a'.repeat(70_000)}"}` }, 413],
    [{ fields: `${json}Content-Encoding: gzip\r\n${length}` }, 200],
    [{ fields: `${json}${length}X-Soku-Workspace: another\r\n` }, 404],
    [{ fields: `${json}${length}Authorization: Bearer ${asking.apiKey}\r\n` }, 401],
    [{ fields: `${json}${length}Host: b\r\n` }, 400],
  ];
  for (const [form, status] of forms) {
    const answer = await send(form, question);
    assert.equal(answer.status, status, `${JSON.stringify(form).slice(0, 200)}: ${answer.body}`);
    assert.ok(!answer.body.includes(apiKey.slice(8)));
  }
});

test('many requests on one connection are answered in their order', async () => {
  const keys = await Promise.all([1, 2, 3].map((n) => ada.makeKey({ name: `in line ${n}` })));
  const socket = await HttpSocket.open(server.url);
  try {
    const answers = keys.map(({ apiKey }) => {
      const body = JSON.stringify({ apiKey });
      return socket.send(
        `POST /v1/verify HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${asking.apiKey}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    });
    for (const [i, answer] of (await Promise.all(answers)).entries()) {
      assert.equal(verificationSchema.parse(JSON.parse(answer.body)).key?.id, keys[i]?.key.id);
    }
  } finally {
    socket.close();
  }
});
