/** What a client gets when its request does not arrive in time. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { testTimeoutMs } from '../../../../test/support/test-timeout.ts';
import { rejectBrokenRequest } from './broken-requests.ts';

/** A server with short timeouts. @returns all bytes that it sends to a client before it closes the connection */
async function receive(t: TestContext, sent: string): Promise<string> {
  const server = createServer({ headersTimeout: 50, requestTimeout: 50, connectionsCheckingInterval: 20 });
  server.on('clientError', (error, socket) => rejectBrokenRequest(error, socket, () => undefined));
  t.after(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const socket = connect(address.port, '127.0.0.1');
  socket.write(sent);
  return text(socket);
}

test('a client that stops in the middle of a request gets an error', {
  timeout: testTimeoutMs,
}, async (t) => {
  const response = await receive(t, 'GET / HTTP/1.1\r\nHost: x\r\n');
  assert.match(response, /^HTTP\/1.1 400 .*\r\nconnection: close\r\n.*did not arrive in time/is);
});

test('a connection that was never used is closed without a response, which a browser would take for another one', {
  timeout: testTimeoutMs,
}, async (t) => {
  assert.equal(await receive(t, ''), '');
});
