/** A bug in verifying, met by requests over real HTTP. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { pino } from 'pino';
import { HttpSocket } from '../../../../test/support/http-socket.ts';
import { PreformattedResponse } from '../http/preformatted-response.ts';
import { RequestCounts } from '../http/request-counts.ts';
import { ForwardAuth } from './forward-auth.ts';
import { Lane } from './lane.ts';

/** A server whose verification fails. */
async function brokenServer(verifyFields: () => Promise<never>) {
  const lines: string[] = [];
  const requests = new RequestCounts();
  const addressOf = () => '127.0.0.1';
  const log = pino({}, { write: (line) => lines.push(line) });
  const lane = new Lane({ addressOf, isClosing: () => false, requests, log });
  const forwardAuth = new ForwardAuth({ verifier: { verifyFields }, addressOf, lane });
  const server = createServer({ ServerResponse: PreformattedResponse }, (request, response) => {
    if (!(response instanceof PreformattedResponse)) throw new Error('not the response that was asked for');
    forwardAuth.handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  const socket = await HttpSocket.open(`http://127.0.0.1:${address.port}`);
  after(() => socket.close());
  return { socket, lines, requests };
}

for (const [when, verifyFields] of [
  [
    'at once',
    () => {
      throw new Error('a bug');
    },
  ],
  ['later', () => Promise.reject(new Error('a bug'))],
] as const) {
  test(`a verification that fails ${when} lets nothing through, and the server goes on`, async () => {
    const { socket, lines, requests } = await brokenServer(verifyFields);
    for (const target of ['/v1/verify', '/v1/verify/orders']) {
      const answer = await socket.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
      assert.equal(answer.status, 500);
      const { error } = JSON.parse(answer.body);
      assert.equal(error.code, 'internal_error');
      assert.ok(error.message.includes(answer.headers.get('x-request-id') ?? 'none'));
      assert.doesNotMatch(answer.body, /a bug/);
    }
    assert.equal(lines.filter((line) => line.includes('a bug')).length, 2);
    const counted = [...requests.statuses()].map(({ route, status, count }) => [route, status, count]);
    assert.deepEqual(counted.sort(), [
      ['/v1/verify', 500, 1],
      ['/v1/verify/*', 500, 1],
    ]);
  });
}
