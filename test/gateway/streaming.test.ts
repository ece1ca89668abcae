/** The gateway streams bodies in both directions without buffering. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import {
  type ClientRequest,
  type IncomingMessage,
  request as openRequest,
  type RequestOptions,
  type ServerResponse,
} from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { HttpSocket } from '../support/http-socket.ts';
import { runCount } from '../support/run-count.ts';
import { openSession } from '../support/session.ts';
import { testTimeoutMs } from '../support/test-timeout.ts';
import { startGateway, Upstream } from './gateway.ts';

/** How the upstream responds to the next request. */
let respond: (request: IncomingMessage, response: ServerResponse) => void;
const upstream = await Upstream.start((request, response) => respond(request, response));
const { server, gateway } = await startGateway(upstream.url);
const ada = await openSession(server);
const { apiKey } = await ada.createKey({ name: 'streams' });
after(async () => {
  await server.stop();
  await upstream.stop();
});

/** Starts a request through the gateway, and waits until the upstream has its header. */
async function begin(options: RequestOptions = {}) {
  const { promise, resolve } = Promise.withResolvers<[IncomingMessage, ServerResponse]>();
  respond = (...incoming) => resolve(incoming);
  const outgoing = openRequest(gateway, { headers: { authorization: `Bearer ${apiKey}` }, ...options });
  outgoing.on('error', () => undefined).flushHeaders();
  const [incoming, reply] = await promise;
  return { outgoing, incoming, reply };
}

async function responseTo(outgoing: ClientRequest): Promise<IncomingMessage> {
  const [response] = await once(outgoing, 'response');
  return response;
}

const posting = (fields: Record<string, string>): RequestOptions => ({
  method: 'POST',
  headers: { authorization: `Bearer ${apiKey}`, ...fields },
});

test('server-sent events arrive as they are written', { timeout: testTimeoutMs }, async () => {
  const { outgoing, reply } = await begin();
  outgoing.end();
  reply.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  const response = await responseTo(outgoing);
  for (const event of ['data: one\n\n', 'data: two\n\n', ': still here\n\n']) {
    reply.write(event);
    const [received] = await once(response, 'data');
    assert.equal(String(received), event);
  }
  reply.end();
  await once(response, 'end');
});

for (const fields of [{ 'content-length': '6' }, { 'transfer-encoding': 'chunked' }]) {
  test(`a body with ${Object.keys(fields)} arrives as it is sent`, { timeout: testTimeoutMs }, async () => {
    const { outgoing, incoming, reply } = await begin(posting(fields));
    for (const part of ['one', 'two']) {
      outgoing.write(part);
      const [received] = await once(incoming, 'data');
      assert.equal(String(received), part);
    }
    outgoing.end();
    await once(incoming, 'end');
    assert.equal(incoming.headers['content-length'], 'content-length' in fields ? '6' : undefined);
    reply.end('done');
    assert.equal(String(await buffer(await responseTo(outgoing))), 'done');
  });
}

/** Peak memory of the server, in bytes. */
function peakMemory(): number {
  const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

const megabyte = Buffer.alloc(1024 * 1024, 'sixteen letters.');
/** Hashes a stream, reading it more slowly than it could be sent. */
async function hashSlowly(stream: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream) {
    hash.update(chunk);
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
  }
  return hash.digest('hex');
}

/** Sends and receives bodies of so many MB, and compares their hashes. */
async function streamBodies(size: number): Promise<void> {
  const body = () => Readable.from(Array.from({ length: size }, () => megabyte));
  const hash = createHash('sha256');
  for (const part of Array.from({ length: size }, () => megabyte)) hash.update(part);
  const expected = hash.digest('hex');
  for (const fields of [
    { 'content-length': String(size * megabyte.length) },
    { 'transfer-encoding': 'chunked' },
  ]) {
    const up = await begin(posting(fields));
    body().pipe(up.outgoing);
    assert.equal(await hashSlowly(up.incoming), expected);
    // Requests with and without a body use different code paths, so each path is tested with one kind of response.
    const down = 'content-length' in fields ? await begin() : up;
    down.outgoing.end();
    down.reply.writeHead(200, fields);
    body().pipe(down.reply);
    assert.equal(await hashSlowly(await responseTo(down.outgoing)), expected);
    if (down !== up) up.reply.end();
  }
}

test('a large body is uploaded and downloaded completely, in no more memory than a small one', {
  timeout: testTimeoutMs,
}, async () => {
  // Until the buffers have their usual size.
  await streamBodies(10);
  const before = peakMemory();
  await streamBodies(runCount(160, 400));
  const grown = peakMemory() - before;
  assert.ok(grown < 110 * megabyte.length, `${Math.round(grown / megabyte.length)} MB more`);
});

test('when the client disconnects before, during or after its body, the request to the API ends', {
  timeout: testTimeoutMs,
}, async () => {
  const length = { 'content-length': '6' };
  const before = await begin();
  before.outgoing.end();
  const during = await begin(posting(length));
  during.outgoing.write('one');
  const responding = await begin();
  responding.outgoing.end();
  responding.reply.write('one');
  await responseTo(responding.outgoing);
  for (const { outgoing, reply } of [before, during, responding]) {
    const closed = once(reply, 'close');
    outgoing.destroy();
    await closed;
    assert.equal(reply.writableFinished, false);
  }
});

test('when the API disconnects in the middle of its response, the client notices', {
  timeout: testTimeoutMs,
}, async () => {
  for (const fields of [{ 'content-length': '6' }, { 'transfer-encoding': 'chunked' }]) {
    const { outgoing, reply } = await begin();
    outgoing.end();
    reply.writeHead(200, fields).write('one');
    const response = await responseTo(outgoing);
    const failed = once(response.resume(), 'error');
    reply.destroy();
    const [error] = await failed;
    assert.equal(error.code, 'ECONNRESET');
    assert.equal(response.complete, false);
  }
});

test('a response before the end of the body is forwarded, and the connection stays in sync', {
  timeout: testTimeoutMs,
}, async () => {
  respond = (request, response) => {
    response.end(request.url);
  };
  const socket = await HttpSocket.open(gateway);
  const head = (path: string) => `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${apiKey}\r\n`;
  const first = await socket.send(`${head('/early')}Content-Length: 6\r\n\r\none`);
  assert.deepEqual([first.status, first.body.includes('/early')], [200, true]);
  const second = await socket.send(`two${head('/next')}Content-Length: 0\r\n\r\n`);
  assert.deepEqual([second.status, second.body.includes('/next')], [200, true]);
  socket.close();
});

test('a client that expects 100-continue sends its body only when the API requests it', {
  timeout: testTimeoutMs,
}, async () => {
  const received: string[] = [];
  respond = (request, response) => {
    void buffer(request).then((body) => {
      received.push(String(body));
      response.end();
    });
  };
  const outgoing = openRequest(gateway, posting({ expect: '100-continue', 'content-length': '4' }));
  outgoing.flushHeaders();
  await once(outgoing, 'continue');
  outgoing.end('body');
  assert.equal((await responseTo(outgoing)).statusCode, 200);
  assert.deepEqual(received, ['body']);

  const rejected = connect(Number(new URL(gateway).port), '127.0.0.1');
  rejected.write(
    'POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n',
  );
  const [first] = await once(rejected, 'data');
  assert.match(String(first), /^HTTP\/1.1 401 /, 'no 100 Continue was sent first');
  rejected.destroy();
});
