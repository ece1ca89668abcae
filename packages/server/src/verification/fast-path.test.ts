/** Bugs in verification, with real HTTP requests that bypass the framework. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import { after, test } from 'node:test';
import { pino } from 'pino';
import { HttpSocket } from '../../../../test/support/http-socket.ts';
import { PreformattedResponse } from '../http/preformatted-response.ts';
import { RequestCounts } from '../http/request-counts.ts';
import { FastPath } from './fast-path.ts';
import { ForwardAuth } from './forward-auth.ts';
import { PostVerify } from './post-verify.ts';
import { verificationUnavailable } from './rejections.ts';

type Handle = (request: IncomingMessage, response: PreformattedResponse) => boolean;

const addressOf = () => '127.0.0.1';

/** A server with the handler that `make` returns. */
async function serve(make: (fastPath: FastPath) => Handle) {
  const lines: string[] = [];
  const requests = new RequestCounts();
  const log = pino({}, { write: (line) => lines.push(line) });
  const handle = make(new FastPath({ addressOf, isClosing: () => false, requests, log }));
  const server = createServer({ ServerResponse: PreformattedResponse }, (request, response) => {
    if (!(response instanceof PreformattedResponse)) throw new Error('unexpected response class');
    assert.ok(handle(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  const socket = await HttpSocket.open(`http://127.0.0.1:${address.port}`);
  after(() => socket.close());
  return { socket, lines, requests };
}

/** Asserts that each of these requests gets a 500 and that the log has the reason. */
async function assertFailing({ socket, lines }: Awaited<ReturnType<typeof serve>>, all: string[]) {
  for (const request of all) {
    const response = await socket.send(request);
    assert.equal(response.status, 500);
    const { error } = JSON.parse(response.body);
    assert.equal(error.code, 'internal_error');
    assert.ok(error.message.includes(response.headers.get('x-request-id') ?? 'none'));
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    assert.doesNotMatch(response.body, /a bug/);
  }
  assert.equal(lines.filter((line) => line.includes('a bug')).length, all.length);
}

const bug = () => {
  throw new Error('a bug');
};
const lateBug = () => Promise.reject(new Error('a bug'));

for (const [when, verifyFields] of [
  ['at once', bug],
  ['later', lateBug],
] as const) {
  test(`a forward-auth verification that fails ${when} accepts nothing, and the server keeps running`, async () => {
    const served = await serve((fastPath) => {
      const forwardAuth = new ForwardAuth({ verifier: { verifyFields }, addressOf, fastPath });
      return (...exchange) => forwardAuth.handle(...exchange);
    });
    const targets = ['/v1/verify', '/v1/verify/orders'];
    await assertFailing(
      served,
      targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`),
    );
    const counted = [...served.requests.statuses()].map(({ route, status, count }) => [route, status, count]);
    assert.deepEqual(counted.sort(), [
      ['/v1/verify', 500, 1],
      ['/v1/verify/*', 500, 1],
    ]);
  });
}

const question = (body: object) => {
  const text = JSON.stringify(body);
  return `POST /v1/verify HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer asking\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
};

type Verify = (token: string) => unknown;

/** A server with `POST /v1/verify`. @param verify returns the caller's workspace, or the result for another key */
function servePostVerify(verify: Verify) {
  return serve((fastPath) => {
    // The callbacks that build results are not needed here.
    const verifier: { verifyToken: (token: string) => never } = {
      verifyToken: (token) => verify(token) as never,
    };
    const postVerify = new PostVerify({ verifier, addressOf, fastPath, verifyScope: 'deployment' });
    return (request, response) => postVerify.handle(request, response, () => assert.fail('it was passed on'));
  });
}

for (const [when, verify] of [
  ['before its body is read', bug],
  ['when its key is looked at again', onceGood(bug)],
  ['for the key that is asked about', (token: string) => (token === 'asking' ? 'ws_1' : lateBug())],
] as const) {
  test(`a back-end verification that fails ${when} accepts nothing, and the server keeps running`, async () => {
    const served = await servePostVerify(verify);
    await assertFailing(served, [question({ apiKey: 'asked' })]);
    const [counted] = [...served.requests.statuses()];
    assert.deepEqual([counted?.method, counted?.route, counted?.status], ['POST', '/v1/verify', 500]);
  });
}

/** The first lookup finds a key. */
function onceGood(then: () => unknown): Verify {
  let looks = 0;
  return () => {
    looks += 1;
    return looks === 1 ? 'ws_1' : then();
  };
}

test('a batch in which one key could not be checked gets 503 as a whole', async () => {
  const valid = { valid: true, code: 'valid' };
  const { socket } = await servePostVerify((token) => {
    if (token === 'asking') return 'ws_1';
    return token === 'good' ? valid : Promise.resolve({ problem: verificationUnavailable });
  });
  const good = await socket.send(question({ apiKeys: ['good', 'good'] }));
  assert.deepEqual([good.status, JSON.parse(good.body)], [200, { data: [valid, valid] }]);
  const mixed = await socket.send(question({ apiKeys: ['good', 'unchecked'] }));
  assert.deepEqual([mixed.status, JSON.parse(mixed.body).error.code], [503, 'verification_unavailable']);
});
