import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, test } from 'node:test';
import fastify from 'fastify';
import { createGracefulClose } from './closing.ts';

const sockets: Socket[] = [];
after(() => {
  for (const socket of sockets) socket.destroy();
});

/** A server whose responses wait until they are released, and a connection to it. */
async function slowServer(timeoutMs: number) {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const app = fastify({ forceCloseConnections: 'idle' });
  app.get('/', async () => {
    ask();
    await released;
    return 'done';
  });
  const cutOffs: number[] = [];
  const close = createGracefulClose(app, (connections) => cutOffs.push(connections), timeoutMs);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  sockets.push(socket);
  await once(socket, 'connect');
  return { close, socket, asked, release, cutOffs };
}

const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

test('an open request gets its response, and then its connection is closed', {
  timeout: 60_000,
}, async () => {
  const { close, socket, asked, release, cutOffs } = await slowServer(30_000);
  let received = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    received += text;
  });
  socket.write(request);
  await asked;
  const closed = close();
  release();
  await Promise.all([closed, once(socket, 'close')]);
  assert.match(received, /^HTTP\/1.1 200 OK\r\n.*\r\n\r\ndone$/s);
  assert.deepEqual(cutOffs, []);
});

test('the connection of an unfinished request is closed after the timeout', { timeout: 60_000 }, async () => {
  const { close, socket, asked, cutOffs } = await slowServer(100);
  socket.resume().write(request);
  await asked;
  await Promise.all([close(), once(socket, 'close')]);
  assert.deepEqual(cutOffs, [1]);
});

test('a connection without any request is closed immediately', { timeout: 60_000 }, async () => {
  const { close, socket, cutOffs } = await slowServer(30_000);
  socket.resume();
  await Promise.all([close(), once(socket, 'close')]);
  assert.deepEqual(cutOffs, []);
});
