/** The gateway in the process: configuration, port and shutdown. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Agent, get, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { readConfig } from '../../packages/server/src/config.ts';
import { StartupError } from '../../packages/server/src/startup-error.ts';
import { call } from '../support/person.ts';
import { freePort, startServer } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { expectStartFailure } from '../support/start-failure.ts';
import { testTimeoutMs } from '../support/test-timeout.ts';
import { startGateway, Upstream } from './gateway.ts';

const dataDir = join(tmpdir(), `soku-test-no-gateway-${process.pid}`);
const upstreamUrl = 'http://127.0.0.1:4000';

const invalid: [string, string][] = [
  ['SOKU_GATEWAY_UPSTREAM', 'http://ada:Tr0ub4dor@localhost:4000'],
  ['SOKU_GATEWAY_RULES', '/no/such/rules.json'],
  // A file that is not a list of rules.
  ['SOKU_GATEWAY_RULES', 'package.json'],
];

for (const [name, value] of invalid) {
  test(`${name}=${value} exits with 78 and one line with the name and an example, and creates nothing`, async () => {
    const env = { PORT: '1', SOKU_GATEWAY_UPSTREAM: upstreamUrl, [name]: value };
    const line = await expectStartFailure(78, { dataDir, env });
    assert.match(line, new RegExp(`^soku: ${name} .+ Example: ${name}=`));
    assert.doesNotMatch(line, /Tr0ub4dor/);
    assert.ok(!existsSync(dataDir));
  });
}

test('other wrong variables of the gateway are rejected in the same way', () => {
  for (const [name, value] of [
    ['SOKU_GATEWAY_UPSTREAM', 'localhost:4000'],
    ['SOKU_GATEWAY_PORT', '1'],
    ['SOKU_GATEWAY_FORWARD_KEY', 'yes'],
    ['SOKU_GATEWAY_PREFLIGHT', 'allow'],
  ] as const) {
    const env = { PORT: '1', SOKU_GATEWAY_UPSTREAM: upstreamUrl, [name]: value };
    assert.throws(
      () => readConfig(env),
      (error) => {
        assert.ok(error instanceof StartupError && error.exitCode === 78, String(error));
        assert.match(error.message, new RegExp(`^${name} .+ Example: ${name}=`));
        return true;
      },
      name,
    );
  }
});

test('a gateway port in use exits with 69 before anything is created', async () => {
  const other = createServer();
  other.listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  assert.ok(address !== null && typeof address === 'object');
  const env = { SOKU_GATEWAY_UPSTREAM: upstreamUrl, SOKU_GATEWAY_PORT: String(address.port) };
  const line = await expectStartFailure(69, { dataDir, env });
  assert.match(line, new RegExp(`^soku: SOKU_GATEWAY_PORT ${address.port} on 127.0.0.1 is in use`));
  assert.ok(!existsSync(dataDir));
  other.close();
});

test('without an upstream there is no gateway', async () => {
  const port = await freePort();
  const server = await startServer({ env: { SOKU_GATEWAY_PORT: String(port) } });
  try {
    await assert.rejects(call(`http://127.0.0.1:${port}/`));
  } finally {
    await server.stop();
  }
});

test('the gateway serves nothing of the dashboard, and the main port nothing of the API', async () => {
  const upstream = await Upstream.start();
  const { server, gateway } = await startGateway(upstream.url);
  try {
    for (const path of ['/', '/v1/me', '/login', '/healthz', '/openapi.json']) {
      assert.equal((await call(gateway + path)).status, 401, path);
    }
    assert.equal((await call(`${server.url}/orders`)).status, 404);
    assert.deepEqual(upstream.requests, []);
  } finally {
    await server.stop();
    await upstream.stop();
  }
});

test('a shutdown finishes open requests, accepts no new ones, and does not wait for idle connections', {
  timeout: testTimeoutMs,
}, async () => {
  const { promise, resolve } = Promise.withResolvers<[IncomingMessage, ServerResponse]>();
  const upstream = await Upstream.start((request, response) => {
    if (request.url === '/slow') resolve([request, response]);
    else response.end('quick');
  });
  const { server, gateway } = await startGateway(upstream.url);
  const agent = new Agent({ keepAlive: true });
  try {
    const { apiKey } = await (await openSession(server)).createKey({ name: 'key' });
    const headers = { authorization: `Bearer ${apiKey}` };
    const [quick] = await once(get(gateway, { agent, headers }), 'response');
    assert.equal(await text(quick), 'quick');
    const slow = once(get(`${gateway}/slow`, { headers }), 'response');
    const [, reply] = await promise;
    process.kill(server.pid, 'SIGTERM');
    await server.printed('finishing the open requests');
    await assert.rejects(call(gateway), 'no new connection is accepted');
    reply.end('finished');
    const [response] = await slow;
    assert.equal(response.headers.connection, 'close', 'the client must open a new connection');
    assert.equal(await text(response), 'finished');
    assert.deepEqual(await server.exited(), { code: 0, signal: null });
    assert.doesNotMatch(server.output, /cut off/);
  } finally {
    agent.destroy();
    await server.stop();
    await upstream.stop();
  }
});
