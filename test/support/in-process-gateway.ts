import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import { Gateway } from '../../packages/server/src/gateway/gateway.ts';
import type { Timeouts } from '../../packages/server/src/gateway/timeouts.ts';

export function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return address.port;
}

/** A TCP server that passes each connection to the test. */
export async function startTcp(t: TestContext, serve: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${portOf(server)}`;
}

/** A server that responds to each request with given bytes. */
export function startScriptedUpstream(t: TestContext, ...responses: string[]): Promise<string> {
  return startTcp(t, (socket) => {
    let next = 0;
    socket.on('data', () => {
      const response = responses[next++];
      if (response === undefined) socket.destroy();
      else socket.write(response);
    });
  });
}

/** A gateway to an upstream that accepts all requests, its log, and a function that calls it. */
export async function startTestGateway(t: TestContext, upstream: string, timeouts: Partial<Timeouts> = {}) {
  let output = '';
  const log = pino(
    { level: 'info' },
    {
      write: (line: string) => {
        output += line;
      },
    },
  );
  let stopping = false;
  const gateway = new Gateway({
    upstream,
    forwardKey: false,
    preflight: 'refuse',
    isOwnCookie: () => false,
    verify: () => ({ identity: ['x-soku-key-id', 'key_x'], limit: '' }),
    rules: [],
    trusts: () => false,
    addressHeader: 'x-forwarded-for',
    requests: { recordResponse: () => undefined },
    isStopping: () => stopping,
    log,
    timeouts: { connection: 5_000, silence: 5_000, body: 5_000, ...timeouts },
  });
  gateway.server.listen(0, '127.0.0.1');
  await once(gateway.server, 'listening');
  const port = portOf(gateway.server);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(async () => {
    agent.destroy();
    gateway.server.closeAllConnections();
    await gateway.close();
  });
  const ask = async (method = 'GET', body?: string) => {
    const outgoing = request({ host: '127.0.0.1', port, agent, method });
    outgoing.end(body);
    const [response]: IncomingMessage[] = await once(outgoing, 'response');
    assert.ok(response !== undefined);
    return { status: response.statusCode, headers: response.headers, text: await text(response) };
  };
  const stop = () => {
    stopping = true;
  };
  return { port, ask, stop, logged: () => output };
}
