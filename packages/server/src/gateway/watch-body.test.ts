/** Bodies that stall: when the timeout runs, and what happens to the request. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { startTcp, startTestGateway } from '../../../../test/support/in-process-gateway.ts';
import { testTimeoutMs } from '../../../../test/support/test-timeout.ts';
import { watchBody } from './watch-body.ts';

/** An upstream that accepts each chunk only when the test allows it. */
function slowUpstream() {
  const taken: (() => void)[] = [];
  const outgoing = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => taken.push(done) });
  return { outgoing, take: () => taken.shift()?.() };
}

test('the body timeout runs from the last byte, and not while the upstream accepts nothing', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const request = new PassThrough();
  const { outgoing, take } = slowUpstream();
  let stalled = 0;
  request.pipe(outgoing);
  watchBody({ request, outgoing, waitsForContinue: false, time: 30_000 }, () => {
    stalled += 1;
  });
  t.mock.timers.tick(29_999);
  const arrived = once(request, 'data');
  request.write('x');
  await arrived;
  assert.equal(outgoing.writableNeedDrain, true);
  t.mock.timers.tick(300_000);
  assert.equal(stalled, 0, 'the upstream is the one that is late');
  const drained = once(outgoing, 'drain');
  take();
  await drained;
  t.mock.timers.tick(29_999);
  assert.equal(stalled, 0);
  t.mock.timers.tick(1);
  assert.equal(stalled, 1);
});

test('the body timeout ends with the body, and starts only when the client may send it', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const request = new PassThrough();
  const outgoing = new PassThrough();
  let stalled = 0;
  request.pipe(outgoing);
  watchBody({ request, outgoing, waitsForContinue: true, time: 30_000 }, () => {
    stalled += 1;
  });
  t.mock.timers.tick(300_000);
  assert.equal(stalled, 0, 'the upstream has not said 100 Continue');
  outgoing.emit('continue');
  t.mock.timers.tick(29_999);
  const ended = once(request, 'end');
  request.end('x');
  await ended;
  outgoing.emit('drain');
  t.mock.timers.tick(300_000);
  assert.equal(stalled, 0);
});

const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n';

test('a body that stalls after the response started ends both connections', {
  timeout: testTimeoutMs,
}, async (t) => {
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  const url = await startTcp(t, (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab'));
    socket.once('close', resolve);
  });
  // Long enough for the response to begin on a busy machine.
  const { port } = await startTestGateway(t, url, { body: 500, silence: 60_000 });
  const socket = connect(port, '127.0.0.1');
  socket.write(`${head}\r\nab`);
  const answer = await text(socket);
  assert.match(answer, /^HTTP\/1.1 200 .*\r\n\r\nab$/s);
  await gone;
});

test('a body that stalls after the complete response does not keep the connection open', {
  timeout: testTimeoutMs,
}, async (t) => {
  const url = await startTcp(t, (socket) => {
    socket.once('data', () =>
      socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nearly'),
    );
  });
  const { port } = await startTestGateway(t, url, { body: 500, silence: 60_000 });
  const socket = connect(port, '127.0.0.1');
  socket.write(`${head}\r\nab`);
  assert.match(await text(socket), /^HTTP\/1.1 200 .*\r\n\r\nearly$/s);
});

test('an upstream that never sends 100 Continue times out itself', { timeout: testTimeoutMs }, async (t) => {
  const url = await startTcp(t, (socket) => socket.resume());
  const { port } = await startTestGateway(t, url, { body: 20, silence: 500 });
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.write(`${head}Expect: 100-continue\r\n\r\n`);
  const [answer] = await once(socket, 'data');
  assert.match(String(answer), /^HTTP\/1.1 502 /);
});
