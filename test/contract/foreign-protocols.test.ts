/** Clients and proxies that speak another protocol than HTTP/1.1: they learn why, the operator too, and nothing stays. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { eventually } from '../support/contract.ts';
import { call } from '../support/person.ts';
import { freePort, startServer } from '../support/server.ts';

const gatewayPort = await freePort();
const server = await startServer({
  env: { SOKU_GATEWAY_PORT: String(gatewayPort), SOKU_GATEWAY_UPSTREAM: 'http://127.0.0.1:9' },
});
after(() => server.stop());

/** Ports by the variable that sets them. */
const ports = { PORT: Number(new URL(server.url).port), SOKU_GATEWAY_PORT: gatewayPort };

/** The number of sockets of the server. */
function sockets(): number {
  const files = `/proc/${server.pid}/fd`;
  return readdirSync(files).filter((name) => targetOf(`${files}/${name}`).startsWith('socket:')).length;
}

/** '' for a file that was closed meanwhile. */
function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}

/** Without connections. */
const idle = sockets();

/** Sends bytes and returns all that is received until the server ends its side. */
async function send(port: number, bytes: string): Promise<{ socket: Socket; received: string }> {
  const socket = connect({ port, host: 'localhost', allowHalfOpen: true });
  socket.on('error', () => undefined);
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
  });
  socket.write(bytes, 'latin1');
  await once(socket, 'end');
  return { socket, received };
}

for (const [variable, port] of Object.entries(ports)) {
  test(`${variable}: an HTTP/2 client learns that HTTP/1.1 is required`, async () => {
    const client = connectHttp2(`http://localhost:${port}`);
    client.on('error', () => undefined);
    client.request({ ':path': '/v1/verify' }).on('error', () => undefined);
    const [code, lastStream, reason] = await once(client, 'goaway');
    assert.deepEqual([code, lastStream, String(reason)], [13, 0, 'This port speaks HTTP/1.1 only.']);
    client.destroy();
  });

  for (const [name, bytes] of [
    ['version 1', 'PROXY TCP4 192.0.2.1 192.0.2.2 1024 80\r\nGET /v1/verify HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['version 2', '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c'],
  ] as const) {
    test(`${variable}: the PROXY protocol, ${name}, is named in the error`, async () => {
      const { socket, received } = await send(port, bytes);
      assert.match(received, /^HTTP\/1\.1 400 .*This port does not read the PROXY protocol\./s);
      socket.destroy();
    });
  }

  test(`${variable}: TLS gets an error that TLS clients report as a wrong version number`, async () => {
    const { socket, received } = await send(port, '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03');
    assert.match(received, /^HTTP\/1\.1 400 /);
    socket.destroy();
  });

  test(`${variable}: the log names each protocol once, and what to change`, async () => {
    for (let round = 0; round < 20; round++)
      (await send(port, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).socket.destroy();
    const lines = server.output
      .split('\n')
      .filter((line) => line.includes(`connection to ${variable} speaks`));
    assert.equal(lines.length, 3, lines.join('\n'));
    for (const [i, name] of ['HTTP/2', 'the PROXY protocol', 'TLS'].entries()) {
      assert.ok(lines[i]?.includes(`speaks ${name} instead of HTTP/1.1: `), lines[i]);
      assert.match(lines[i] ?? '', /"peer":"(127\.0\.0\.1|::1)"/);
    }
  });

  test(`${variable}: what a request carries behind its first bytes is not mistaken for a protocol`, async () => {
    const { socket, received } = await send(port, 'GET /v1/me HTTP/1.1\r\nX: y\nPRI * HTTP/2.0\r\n\r\n');
    assert.match(received, /^HTTP\/1\.1 400 .*This is not a well-formed HTTP request\./s);
    socket.destroy();
  });

  test(`${variable}: a client that never closes its side is disconnected`, async () => {
    const { socket } = await send(port, 'hello\r\n\r\n');
    assert.ok(sockets() > idle, 'the server gives the client time to read the response');
    await eventually(
      async () => sockets(),
      (count) => count <= idle,
    );
    socket.destroy();
  });
}

test('the server still responds', async () => {
  assert.equal((await call(`${server.url}/healthz`)).status, 200);
});
