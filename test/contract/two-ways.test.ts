/**
 * GET /v1/verify is answered ahead of the framework when the request is of the usual form, and by the framework when
 * it is not. Whoever asks must not be able to tell which: every case is sent both ways, and the answers compared.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { generateKey } from '@soku/key';
import { eventually } from '../support/contract.ts';
import { type Fields, latin1 } from '../support/http.ts';
import { HttpSocket, type RawAnswer } from '../support/http-socket.ts';
import { startServer } from '../support/server.ts';
import { mistakesWith } from './wrong-credentials.ts';

const server = await startServer();
after(() => server.stop());
const ada = await server.signIn();
const good = await ada.makeKey({ name: 'Größe "1"', scopes: ['keys:read', 'keys:write'], rateLimit: 1000 });
const sockets = { ahead: await HttpSocket.open(server.url), framework: await HttpSocket.open(server.url) };
after(() => {
  for (const socket of Object.values(sockets)) socket.close();
});

interface Question {
  fields: Fields;
  target?: string;
}

function bytesOf({ fields, target = '/v1/verify' }: Question, more: Fields): Buffer {
  const lines = [['Host', 'localhost'] as const, ...fields, ...more].map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return Buffer.from(`GET ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
}

/** A body of no bytes takes a request off the usual form, and changes nothing of what it asks. */
const unusual: Fields = [['Content-Length', '0']];

/** What of an answer differs from one request to the next. */
function settle(answer: RawAnswer) {
  const steady = (text: string) =>
    text
      .replace(/req_[0-9a-z]+/g, 'req_')
      .replace(/"timestamp":"[^"]+"/g, '')
      .replace(/r=\d+;t=\d+/, 'r;t');
  const passing = [
    'date',
    'connection',
    'keep-alive',
    'x-ratelimit-remaining',
    'x-ratelimit-reset',
    'retry-after',
  ];
  const fields = [...answer.headers].filter(([name]) => !passing.includes(name));
  const length = (value: string) => value.replace(/\d+/, '');
  return {
    status: answer.status,
    fields: Object.fromEntries(
      fields.map(([name, value]) => [name, name === 'content-length' ? length(value) : steady(value)]),
    ),
    names: [...answer.headers.keys()].filter((name) => !['connection', 'keep-alive'].includes(name)).sort(),
    body: steady(answer.body),
  };
}

async function askBothWays(question: Question): Promise<RawAnswer> {
  const ahead = await sockets.ahead.send(bytesOf(question, []));
  const framework = await sockets.framework.send(bytesOf(question, unusual));
  // The framework tells how long it keeps the connection, which Node does for it; ahead of it nobody does.
  assert.equal(ahead.headers.get('keep-alive'), undefined, 'was answered ahead of the framework');
  assert.notEqual(framework.headers.get('keep-alive'), undefined, 'was answered by the framework');
  assert.deepEqual(settle(ahead), settle(framework));
  return ahead;
}

const bearer = (token: string): Fields => [['Authorization', `Bearer ${token}`]];

test('a good key', async () => {
  const answer = await askBothWays({ fields: bearer(good.apiKey) });
  assert.equal(answer.status, 204);
  assert.equal(answer.headers.get('x-soku-key-id'), good.key.id);
  assert.equal((await askBothWays({ fields: [['authorization', `bearer ${good.apiKey}`]] })).status, 204);
  assert.equal((await askBothWays({ fields: bearer(good.apiKey), target: '/v1/verify?a=1' })).status, 204);
});

test('a key without a limit', async () => {
  const { apiKey } = await ada.makeKey({ name: 'free', rateLimit: 'off' });
  const answer = await askBothWays({ fields: bearer(apiKey) });
  assert.equal(answer.headers.get('ratelimit'), undefined);
});

test('every mistake with credentials', async () => {
  let count = 0;
  for (const [code, mistakes] of mistakesWith(good.apiKey)) {
    for (const { fields, query = '', what } of mistakes) {
      const answer = await askBothWays({ fields, target: `/v1/verify${query}` });
      assert.equal(JSON.parse(answer.body).error.code, code, what);
      count += 1;
    }
  }
  assert.ok(count > 80, `${count} mistakes`);
});

test('unknown, revoked, expired and used up', async () => {
  const revoked = await ada.makeKey({ name: 'revoked' });
  await ada.revoke(revoked.key.id);
  const short = await ada.makeKey({ name: 'short', expiresAt: new Date(Date.now() + 200).toISOString() });
  const once = await ada.makeKey({ name: 'once', rateLimit: 1 });
  await eventually(
    () => sockets.ahead.send(bytesOf({ fields: bearer(short.apiKey) }, [])),
    (answer) => answer.status === 401,
  );
  await sockets.ahead.send(bytesOf({ fields: bearer(once.apiKey) }, []));
  for (const [apiKey, status, code] of [
    [generateKey(), 401, 'unknown_key'],
    [revoked.apiKey, 401, 'revoked_key'],
    [short.apiKey, 401, 'expired_key'],
    [once.apiKey, 429, 'rate_limited'],
  ] as const) {
    const answer = await askBothWays({ fields: bearer(apiKey) });
    assert.equal(answer.status, status);
    assert.equal(JSON.parse(answer.body).error.code, code);
  }
});

test('the original request of a proxy', async () => {
  for (const name of ['X-Original-URI', 'x-forwarded-uri']) {
    const answer = await askBothWays({ fields: [[name, `/orders?api_key=${good.apiKey}`]] });
    assert.equal(JSON.parse(answer.body).error.code, 'key_in_query');
  }
});

test('header fields of any bytes', async () => {
  for (const value of [
    '\u00ff',
    latin1('Bearer ключ'),
    'Bearer \u0001',
    'x'.repeat(9000),
    `Bearer ${'a'.repeat(9000)}`,
  ]) {
    const fields: Fields = [['Authorization', value.replaceAll('\u0001', '\u0080')]];
    assert.equal((await askBothWays({ fields })).status, 401);
  }
});

test('answers on one connection come in the order of their requests, whichever way each of them goes', async () => {
  const socket = await HttpSocket.open(server.url);
  const kinds = [
    { bytes: bytesOf({ fields: bearer(good.apiKey) }, []), status: 204 },
    { bytes: bytesOf({ fields: [] }, []), status: 401 },
    { bytes: bytesOf({ fields: bearer(good.apiKey) }, unusual), status: 204 },
    { bytes: Buffer.from('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'), status: 200 },
    { bytes: bytesOf({ fields: [], target: '/v1/verified' }, []), status: 404 },
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
    const head = `GET /v1/verify HTTP/${version}\r\nHost: x\r\n${fields}Authorization: Bearer ${good.apiKey}\r\n\r\n`;
    const answer = await socket.send(head);
    assert.equal(answer.status, 204);
    assert.equal(answer.headers.get('connection'), 'close');
    await socket.closed();
  }
});

test('what is not a well-formed request for it is refused as elsewhere', async () => {
  const line = 'GET /v1/verify HTTP/1.1\r\n';
  const authorization = `Authorization: Bearer ${good.apiKey}\r\n`;
  for (const bytes of [
    `${line}${authorization}\r\n`,
    `${line}Host: a\r\nHost: b\r\n${authorization}\r\n`,
    `GET /v1/verify?${'a'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n${authorization}\r\n`,
  ]) {
    const answer = await sockets.ahead.send(bytes);
    assert.equal(answer.status, 400);
    assert.equal(JSON.parse(answer.body).error.code, 'invalid_request');
  }
  const long = await sockets.ahead.send(
    bytesOf({ fields: bearer(good.apiKey), target: `/v1/verify?${'a'.repeat(2000)}` }, []),
  );
  assert.equal(long.status, 204);
});

test('a HEAD has the fields of the GET, and no body', async () => {
  const answer = await sockets.ahead.send('HEAD /v1/verify HTTP/1.1\r\nHost: x\r\n\r\n', true);
  assert.equal(answer.status, 401);
  assert.equal(answer.body, '');
  assert.notEqual(answer.headers.get('www-authenticate'), undefined);
  const head = `HEAD /v1/verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${good.apiKey}\r\n\r\n`;
  const accepted = await sockets.ahead.send(head, true);
  assert.equal(accepted.status, 204);
  // RFC 9110 section 8.6.
  assert.equal(accepted.headers.get('content-length'), undefined);
});

test('a POST without a body, its length left out, is answered', async () => {
  const { key } = await ada.makeKey({ name: 'to revoke without a body' });
  const manager = await ada.makeKey({ name: 'manager', scopes: ['keys:write'] });
  for (const type of ['Content-Type: application/json\r\n', '']) {
    const answer = await sockets.ahead.send(
      `POST /v1/api-keys/${key.id}/revoke HTTP/1.1\r\nHost: x\r\n${type}Authorization: Bearer ${manager.apiKey}\r\n\r\n`,
    );
    assert.equal(answer.status, 200);
  }
});
