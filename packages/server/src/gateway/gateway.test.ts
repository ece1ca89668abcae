/** Slow, broken or unavailable APIs, with shorter timeouts than in production. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import {
  portOf,
  startScriptedUpstream,
  startTcp,
  startTestGateway,
} from '../../../../test/support/in-process-gateway.ts';
import { testTimeoutMs } from '../../../../test/support/test-timeout.ts';

/** Asserts a 502 in the error envelope that reveals nothing about the upstream, with the reason in the log. */
function assertBadGateway(
  {
    status,
    headers,
    text: body,
  }: { status: number | undefined; headers: IncomingMessage['headers']; text: string },
  logged: string,
  says: RegExp,
): void {
  assert.equal(status, 502, body);
  const { error } = JSON.parse(body);
  assert.equal(error.code, 'bad_gateway');
  assert.equal(error.type, 'api_error');
  assert.match(error.message, says);
  assert.equal(error.requestId, headers['x-request-id']);
  assert.equal(headers['cache-control'], 'no-store');
  assert.doesNotMatch(body, /127\.0\.0\.1|ECONN|Parse|HPE|SSL/);
  const lines = logged.split('\n').filter((line) => line.includes(`"reqId":"${error.requestId}"`));
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /"reason":"\w+: /);
}

const unreachable = /could not be reached or sent an invalid response/;
const late = /did not respond in time/;

test('an API that does not listen gives a 502, and is used again once it listens', async (t) => {
  const url = await startTcp(t, () => undefined);
  const free = createServer();
  free.listen(0, '127.0.0.1');
  await once(free, 'listening');
  const port = portOf(free);
  free.close();
  await once(free, 'close');
  const { ask, logged } = await startTestGateway(t, `http://127.0.0.1:${port}`);
  for (const method of ['GET', 'POST'])
    assertBadGateway(await ask(method, method === 'POST' ? 'x' : undefined), logged(), unreachable);
  assert.match(logged(), /ECONNREFUSED/);
  const again = createServer((socket) => {
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
  });
  again.listen(port, '127.0.0.1');
  await once(again, 'listening');
  t.after(() => again.close());
  assert.equal((await ask()).text, 'ok');
  assert.ok(url !== '');
});

const broken: [string, string][] = [
  ['nothing at all', ''],
  ['no HTTP', 'SSH-2.0-OpenSSH_9.9\r\n'],
  ['a status of two digits', 'HTTP/1.1 99 Low\r\n\r\n'],
  ['a status below 100', 'HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n'],
  [
    'an upgrade that was not requested',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
  ],
  ['a switch to nothing', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
  [
    'length and chunks',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['a field of 70 kB', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`],
  ['a NUL in a field', 'HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n'],
  ['a header that does not end', 'HTTP/1.1 200 OK\r\nX: a'],
];

for (const [what, bytes] of broken) {
  test(`a response that is ${what} becomes a 502`, { timeout: testTimeoutMs }, async (t) => {
    const url = await startTcp(t, (socket) => socket.once('data', () => socket.end(bytes)));
    const { ask, logged } = await startTestGateway(t, url);
    assertBadGateway(await ask(), logged(), unreachable);
    assertBadGateway(await ask('POST', 'x'), logged(), unreachable);
    assert.doesNotMatch(logged(), /rawPacket|OpenSSH/);
  });
}

test('a failed or unfinished TLS handshake gives a 502', { timeout: testTimeoutMs }, async (t) => {
  const plain = await startTcp(t, (socket) =>
    socket.once('data', () => socket.end('HTTP/1.1 400 x\r\n\r\n')),
  );
  const failing = await startTestGateway(t, plain.replace('http:', 'https:'));
  assertBadGateway(await failing.ask(), failing.logged(), unreachable);
  const silent = await startTcp(t, () => undefined);
  const waiting = await startTestGateway(t, silent.replace('http:', 'https:'), {
    connection: 50,
    silence: 60_000,
  });
  assertBadGateway(await waiting.ask(), waiting.logged(), late);
});

test('an API that accepts a request and does not respond gives a 502 after the timeout', {
  timeout: testTimeoutMs,
}, async (t) => {
  const url = await startTcp(t, (socket) => socket.resume());
  // The connection of the client is closed after twice this time, which a busy machine must not reach first.
  const { ask, logged } = await startTestGateway(t, url, { silence: 500 });
  assertBadGateway(await ask(), logged(), late);
  assertBadGateway(await ask('POST', 'body'), logged(), late);
});

test('a response that stalls is aborted, and the client notices', {
  timeout: testTimeoutMs,
}, async (t) => {
  const url = await startScriptedUpstream(t, 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab');
  const { ask } = await startTestGateway(t, url, { silence: 50 });
  await assert.rejects(ask(), { code: 'ECONNRESET' });
});

test('a client that does not send its body gets a 400, not a 502', {
  timeout: testTimeoutMs,
}, async (t) => {
  const url = await startTcp(t, (socket) => socket.resume());
  const { port, logged } = await startTestGateway(t, url, { body: 50 });
  const socket = connect(port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab');
  const answer = await text(socket);
  assert.match(answer, /^HTTP\/1.1 400 .*\r\nconnection: close\r\n.*did not arrive in time/is);
  assert.equal(logged(), '');
});

test('an API can reject an announced body before it is sent', {
  timeout: testTimeoutMs,
}, async (t) => {
  const url = await startScriptedUpstream(t, 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n');
  const { port } = await startTestGateway(t, url);
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
  // The body may or may not arrive, so nothing may follow it.
  assert.match(await text(socket), /^HTTP\/1.1 413 .*\r\nConnection: close\r\n/s);
});

test('after an unsolicited 100 Continue, requests to the API permanently use the client that supports it', {
  timeout: testTimeoutMs,
}, async (t) => {
  const requests: string[] = [];
  const url = await startTcp(t, (socket) => {
    socket.on('data', (bytes) => {
      requests.push(String(bytes).split('\r\n', 1)[0] ?? '');
      socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
  });
  const { ask, logged } = await startTestGateway(t, url);
  for (let i = 0; i < 2; i++) assert.deepEqual((await ask()).text, 'ok');
  assert.deepEqual(requests, Array(3).fill('GET / HTTP/1.1'), 'only the first request was sent twice');
  assert.equal(logged(), '');
});

const whole: [string, string, string][] = [
  [
    'has interim responses before it',
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n',
    'ok',
  ],
  ['ends with its connection', 'HTTP/1.1 200 OK\r\n\r\n', 'ok'],
  [
    'has chunks and trailers',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n',
    '2\r\nok\r\n0\r\nX-A: b\r\n\r\n',
  ],
  [
    'names its length in Connection',
    'HTTP/1.1 200 OK\r\nConnection: content-length\r\nContent-Length: 2\r\n\r\n',
    'ok',
  ],
  ['repeats fields', 'HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 2\r\n\r\n', 'ok'],
];

for (const [what, head, body] of whole) {
  test(`a response that ${what} is forwarded completely`, { timeout: testTimeoutMs }, async (t) => {
    const url = await startTcp(t, (socket) => socket.once('data', () => socket.end(head + body)));
    const { ask } = await startTestGateway(t, url);
    for (const method of ['GET', 'DELETE']) {
      const answer = await ask(method);
      assert.deepEqual([answer.status, answer.text], [200, 'ok'], method);
      if (what === 'repeats fields') assert.equal(answer.headers['x-a'], '1, 2');
      assert.equal(answer.headers.link ?? answer.headers.trailer, undefined);
    }
  });
}

test('a connection that the API closed causes no failure if the request is safe to repeat', {
  timeout: testTimeoutMs,
}, async (t) => {
  let requests = 0;
  // Each connection responds once and breaks at the second request.
  const url = await startTcp(t, (socket) => {
    let answered = false;
    socket.on('data', () => {
      requests += 1;
      if (answered) socket.destroy();
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      answered = true;
    });
  });
  const { ask, logged } = await startTestGateway(t, url);
  assert.equal((await ask()).text, 'ok');
  assert.equal((await ask()).text, 'ok', 'sent again over a new connection');
  assert.equal(requests, 3);
  assert.equal((await ask('OPTIONS')).status, 200);
  assert.equal((await ask('OPTIONS')).status, 200, 'sent again, by the other client');
  assert.equal(requests, 6);
  assertBadGateway(await ask('POST', 'x'), logged(), unreachable);
  assert.equal(requests, 7, 'a POST is not sent again');
});

test('an API that responds and disconnects before the body ends leaves the client connection in sync', {
  timeout: testTimeoutMs,
}, async (t) => {
  const url = await startTcp(t, (socket) => {
    socket.once('data', () =>
      socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nearly'),
    );
  });
  const { port } = await startTestGateway(t, url);
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n';
  for (let i = 0; i < 2; i++) {
    socket.write(`${head}x`);
    const [answer] = await once(socket, 'data');
    assert.match(String(answer), /^HTTP\/1.1 200 /);
    socket.write('y'.repeat(499_999));
  }
});

test('a broken body ends the request to the API, even if the client stays connected', {
  timeout: testTimeoutMs,
}, async (t) => {
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  const url = await startTcp(t, (socket) => socket.resume().once('close', resolve));
  const { port } = await startTestGateway(t, url, { silence: 60_000 });
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.after(() => socket.destroy());
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nzz');
  const [answer] = await once(socket, 'data');
  assert.match(String(answer), /^HTTP\/1.1 400 /);
  await gone;
});

test('during shutdown only the last response on a connection closes it', {
  timeout: testTimeoutMs,
}, async (t) => {
  const url = await startScriptedUpstream(
    t,
    ...Array(4).fill('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
  );
  const { port, ask, stop } = await startTestGateway(t, url);
  assert.equal((await ask()).headers.connection, 'keep-alive');
  stop();
  assert.equal((await ask()).headers.connection, 'close');
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2));
  const fields = (await text(socket)).match(/^connection: .*$/gim);
  assert.deepEqual(fields, ['Connection: keep-alive', 'Connection: close']);
});
