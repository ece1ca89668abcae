import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { TcpProxy } from './tcp-proxy.ts';
import { testTimeoutMs } from './test-timeout.ts';

/** A server, a proxy in front of it, and connections through the proxy. */
async function setUp() {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address !== 'string');
  const proxy = await TcpProxy.start({ host: '127.0.0.1', port: address.port });
  const sockets = new Set<Socket>();
  /** Both ends of a new connection. */
  async function join(): Promise<{ client: End; far: End }> {
    const accepted = once(server, 'connection');
    const client = new End(connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true }));
    const [socket] = await accepted;
    sockets.add(client.socket).add(socket);
    return { client, far: new End(socket) };
  }
  return {
    proxy,
    join,
    ...(await join()),
    async [Symbol.asyncDispose]() {
      await proxy.close();
      // A socket that has read to the end does not notice a reset.
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** One end of a connection, and the received data. */
class End {
  readonly socket: Socket;
  received = '';
  ended = false;
  /** The error code with which it ended; undefined for a normal end. */
  readonly closed: Promise<string | undefined>;

  constructor(socket: Socket) {
    this.socket = socket;
    let code: string | undefined;
    socket.on('data', (bytes: Buffer) => {
      this.received += bytes.toString();
    });
    socket.once('end', () => {
      this.ended = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code;
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', () => resolve(code));
    });
  }

  send(text: string): void {
    this.socket.write(text);
  }

  async has(text: string): Promise<void> {
    while (this.received !== text) {
      assert.ok(text.startsWith(this.received), `${this.received} instead of ${text}`);
      const closed = this.closed.then((code) => Promise.reject(new Error(`closed: ${code}`)));
      await Promise.race([once(this.socket, 'data'), closed]);
    }
  }
}

test('the proxy passes bytes in both directions and closes each direction independently', async () => {
  await using it = await setUp();
  it.client.send('request');
  it.client.socket.end();
  await it.far.has('request');
  if (!it.far.ended) await once(it.far.socket, 'end');
  it.far.send('response');
  await it.client.has('response');
  it.far.socket.end();
  assert.equal(await it.client.closed, undefined);
  assert.equal(await it.far.closed, undefined);
});

test('a delay affects one direction', async () => {
  await using it = await setUp();
  // Far longer than the other direction takes on a busy machine.
  it.proxy.toServer.delay(testTimeoutMs);
  it.client.send('slow');
  it.far.send('quick');
  await it.client.has('quick');
  assert.equal(it.far.received, '');
});

test('a delay keeps bytes in order', async () => {
  await using it = await setUp();
  it.proxy.toServer.delay(80);
  const sent = performance.now();
  it.client.send('slow ');
  // When this arrives, the proxy has usually read the bytes before it.
  it.far.send('quick');
  await it.client.has('quick');
  it.proxy.toServer.delay(0);
  it.client.send('after it');
  await it.far.has('slow after it');
  // A timer may fire early by less than a millisecond.
  assert.ok(performance.now() - sent >= 79);
});

test('held bytes and the end of the stream arrive in order after the release', async () => {
  await using it = await setUp();
  it.proxy.toServer.hold();
  it.client.send('one ');
  it.far.send('ping');
  await it.client.has('ping');
  it.client.send('two');
  it.client.socket.end();
  it.far.send(' pong');
  await it.client.has('ping pong');
  assert.equal(it.far.received, '');
  it.proxy.toServer.release();
  await it.far.has('one two');
  if (!it.far.ended) await once(it.far.socket, 'end');
});

test('cut() resets all existing and new connections until heal()', async () => {
  await using it = await setUp();
  it.client.send('before');
  await it.far.has('before');
  it.proxy.cut();
  assert.equal(await it.client.closed, 'ECONNRESET');
  assert.equal(await it.far.closed, 'ECONNRESET');
  const rejected = new End(connect({ port: it.proxy.port, host: '127.0.0.1' }));
  assert.equal(await rejected.closed, 'ECONNRESET');
  it.proxy.heal();
  const { client, far } = await it.join();
  client.send('again');
  await far.has('again');
});

test('blackhole() drops bytes silently, and heal() resets the connections that lost any', async () => {
  await using it = await setUp();
  const idle = await it.join();
  it.proxy.toServer.blackhole();
  it.client.send('lost');
  it.far.send('received');
  await it.client.has('received');
  assert.equal(it.far.received, '');
  assert.equal(it.client.socket.destroyed, false);
  it.proxy.heal();
  assert.equal(await it.client.closed, 'ECONNRESET');
  assert.equal(it.far.received, '');
  idle.client.send('nothing was lost here');
  await idle.far.has('nothing was lost here');
});

test('the proxy resets clients if the server has stopped', async () => {
  const closed = createServer();
  closed.listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const address = closed.address();
  assert.ok(address !== null && typeof address !== 'string');
  await using proxy = await TcpProxy.start({ host: '127.0.0.1', port: address.port });
  closed.close();
  await once(closed, 'close');
  const client = new End(connect({ port: proxy.port, host: '127.0.0.1' }));
  assert.equal(await client.closed, 'ECONNRESET');
  assert.equal(proxy.connections, 0);
});
