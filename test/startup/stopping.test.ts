/** How a process stops: on a signal, after it has finished open requests; or when it is killed. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { bearer, call, Person } from '../support/person.ts';
import { onePublicUrl, spawnServer, startServer, type TestServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { testTimeoutMs } from '../support/test-timeout.ts';

/** All servers of this file use its data and session, one after another. */
const home = await startServer({ env: onePublicUrl });
after(() => home.stop());
const { cookie } = await openSession(home);
await home.kill('SIGTERM');
const startHere = () => startServer({ dataDir: home.dataDir, env: onePublicUrl });

/** Opens a connection and collects the received text. */
async function open(server: TestServer): Promise<{ socket: Socket; received: () => string }> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return { socket, received: () => text };
}

/** Starts to create a key. The server has read the request head and waits for the body. */
async function startCreatingKey(server: TestServer, body: string) {
  const connection = await open(server);
  connection.socket.write(
    `POST /v1/api-keys HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nExpect: 100-continue\r\n\r\n`,
  );
  await once(connection.socket, 'data');
  assert.match(connection.received(), /^HTTP\/1.1 100 /);
  return connection;
}

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  test(`after ${signal}, the server finishes open requests, accepts no new ones, and exits with code 0`, {
    timeout: testTimeoutMs,
  }, async () => {
    const server = await startHere();
    try {
      const body = JSON.stringify({ name: 'in flight' });
      const { socket, received } = await startCreatingKey(server, body);
      process.kill(server.pid, signal);
      await server.printed('finishing the open requests');
      await assert.rejects(call(`${server.url}/healthz`), 'no new connection is accepted');
      socket.write(body);
      await once(socket, 'close');
      assert.match(received(), /HTTP\/1.1 201 Created/);
      assert.match(received(), /"apiKey":"sk_live_/);
      assert.deepEqual(await server.exited(), { code: 0, signal: null });
      assert.match(server.output, /"msg":"Stopped"\}\n$/);
    } finally {
      await server.stop();
    }
  });
}

test('after kill -9, the next start finds no stale lock, and every change that returned is stored', async () => {
  const first = await startHere();
  const ada = new Person(first.url, cookie);
  const kept = await ada.createKey({ name: 'kept' });
  const revoked = await ada.createKey({ name: 'revoked' });
  await ada.revoke(revoked.key.id);
  await first.kill('SIGKILL');
  const second = await startHere();
  try {
    const me = (key: string) => call(`${second.url}/v1/me`, { headers: bearer(key) });
    assert.equal((await me(kept.apiKey)).status, 200);
    assert.equal((await me(revoked.apiKey)).status, 401);
    assert.equal((await call(`${second.url}/v1/api-keys`, { headers: { cookie } })).status, 200);
  } finally {
    await second.stop();
  }
});

test('idle connections do not delay a stop, and the next start needs no repair', {
  timeout: testTimeoutMs,
}, async () => {
  const first = await startHere();
  const { apiKey } = await new Person(first.url, cookie).createKey({ name: 'kept' });
  const agent = new Agent({ keepAlive: true });
  const unused = await open(first);
  try {
    const [response] = await once(get(`${first.url}/healthz`, { agent }), 'response');
    response.resume();
    await once(response, 'end');
    assert.deepEqual(await first.kill('SIGTERM'), { code: 0, signal: null });
    assert.doesNotMatch(first.output, /cut off/);
  } finally {
    agent.destroy();
    unused.socket.destroy();
    await first.stop();
  }
  const second = await startHere();
  assert.equal((await call(`${second.url}/v1/me`, { headers: bearer(apiKey) })).status, 200);
  await second.stop();
});

test('a server that gets SIGTERM while it starts stops normally after the start', async () => {
  const server = await spawnServer();
  await server.printed('Soku API Keys');
  assert.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null });
  assert.match(server.output, /Stopped/);
  await server.stop();
});
