/**
 * Tests the files that docs/operations shows, unchanged, with a real HAProxy and real servers. It is HAProxy 2.6 from
 * Debian, while deploy/compose.postgres.yaml uses 2.8. Of deploy/haproxy.cfg, the part about DNS is only parsed: here the
 * servers have addresses instead of names.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseEnv, promisify } from 'node:util';
import { z } from 'zod';
import { readConfig } from '../../packages/server/src/config.ts';
import type { ProxyProcess } from '../proxies/proxy.ts';
import { eventually } from '../support/contract.ts';
import { debianProgram } from '../support/debian.ts';
import { codeBlocks } from '../support/markdown.ts';
import { bearer, call } from '../support/person.ts';
import { testSecret } from '../support/server.ts';
import { openSession } from '../support/session.ts';
import { testTimeoutMs } from '../support/test-timeout.ts';
import { startHaproxy } from './haproxy.ts';
import { Deployment, nodeListSchema } from './nodes.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const [configuration, environment] = [
  'examples/load-balancer/haproxy.cfg',
  'examples/load-balancer/soku.env',
];

// Addresses and the directory differ on this machine.
const { DATABASE_URL, SOKU_DATA_DIR, HOST, PORT, ...written } = parseEnv(read(environment));
const secrets = {
  SOKU_SECRET: testSecret,
  SOKU_METRICS_TOKEN: 'a-token-that-is-only-for-the-tests',
};
const variables = { ...written, ...secrets };
const deployment = await Deployment.start(3, { ...variables, TRUST_PROXY: '127.0.0.1' });
after(() => deployment.stop());
const [first] = deployment.nodes;
assert.ok(first);

test('the documentation shows the tested files unchanged', () => {
  const page = 'docs/operations/load-balancer.md';
  assert.deepEqual(codeBlocks(page, `haproxy file=${configuration}`), [read(configuration)]);
  assert.deepEqual(codeBlocks('docs/operations/README.md', `sh file=${environment}`), [read(environment)]);
  const withUnknownVariables = deployment.nodes.filter(({ server }) =>
    /is not a variable/.test(server.output),
  );
  assert.equal(withUnknownVariables.length, 0);
});

test('a server does not start with the secret or the token of the example, because they are public', () => {
  const example = parseEnv(read(environment));
  assert.throws(
    () => readConfig({ ...secrets, SOKU_SECRET: example.SOKU_SECRET }),
    /SOKU_SECRET must have at least/,
  );
  assert.throws(
    () => readConfig({ ...secrets, SOKU_METRICS_TOKEN: example.SOKU_METRICS_TOKEN }),
    /SOKU_METRICS_TOKEN must have at least/,
  );
  readConfig({ ...example, ...secrets });
});

test('the command of docs/operations/README.md lists the servers, but not without the token', async () => {
  const [command = ''] = codeBlocks('docs/operations/README.md', 'sh run');
  const { data } = await eventually(
    async () =>
      nodeListSchema.parse(JSON.parse(await run(command.replace('http://localhost:3000', first.url)))),
    // The first one learns of the others with its next heartbeat.
    (list) => list.data.length === 3,
  );
  assert.equal(data.filter(({ self }) => self).length, 1);
  assert.equal((await call(`${first.url}/v1/nodes`)).status, 404);
});

const haproxy = debianProgram('haproxy');
const skip = typeof haproxy === 'string' ? haproxy : false;

/** Starts HAProxy with one of the configurations, in front of the servers here. */
async function startBalancer(t: TestContext, example: string, server: RegExp): Promise<ProxyProcess> {
  assert.ok(typeof haproxy !== 'string');
  const balancer = await startHaproxy(haproxy, {
    configuration: example,
    server,
    ports: deployment.nodes.map(({ url }) => new URL(url).port),
  });
  t.after(() => balancer.stop());
  return balancer;
}

test('HAProxy of deploy/compose.postgres.yaml sends requests to each server, which rejects a revoked key', {
  skip,
  timeout: testTimeoutMs,
}, async (t) => {
  const balancer = await startBalancer(t, 'deploy/haproxy.cfg', /soku-(\d):3000/g);
  const nodes = new Set<string>();
  await eventually(
    async () =>
      nodes.add(z.object({ node: z.string() }).parse((await call(`${balancer.url}/readyz`)).body).node),
    ({ size }) => size === 3,
  );
  const ada = await openSession(first.server);
  const { apiKey, key } = await ada.createKey({ name: 'through the HAProxy of Compose' });
  const verify = async () => (await call(`${balancer.url}/v1/verify`, { headers: bearer(apiKey) })).status;
  const thrice = async () => [await verify(), await verify(), await verify()];
  assert.deepEqual(await thrice(), [204, 204, 204]);
  await ada.revoke(key.id);
  assert.deepEqual(await thrice(), [401, 401, 401]);
});

test('HAProxy of deploy/compose.postgres.yaml accepts the client address only from a proxy on its machine', {
  skip,
  timeout: testTimeoutMs,
}, async (t) => {
  const balancer = await startBalancer(t, 'deploy/haproxy.cfg', /soku-(\d):3000/g);
  const signIn = async (localAddress: string, fields: Record<string, string>) => {
    const sent = request(`${balancer.url}/api/auth/sign-in/email`, {
      method: 'POST',
      localAddress,
      headers: { 'content-type': 'application/json', origin: written.SOKU_PUBLIC_URL, ...fields },
    }).end(JSON.stringify({ email: 'nobody@example.com', password: 'a wrong password' }));
    const [response] = await once(sent, 'response');
    assert.ok(response instanceof IncomingMessage);
    assert.equal(response.resume().statusCode, 401);
  };
  // 127.0.0.1 is the gateway here, with the proxy behind it.
  await signIn('127.0.0.1', { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' });
  await signIn('127.0.0.2', { 'x-forwarded-for': '203.0.113.8', 'x-forwarded-proto': 'https' });
  const logged = await eventually(
    async () =>
      deployment.nodes.flatMap(({ server }) =>
        Array.from(
          server.output.matchAll(/"address":"([^"]*)"[^\n]*sign-in failed/g),
          ([, address]) => address,
        ),
      ),
    ({ length }) => length === 2,
  );
  assert.deepEqual(logged.sort(), ['127.0.0.2', '203.0.113.7']);
});

test('HAProxy loses no request while a server restarts, and sends it requests again', {
  skip,
  timeout: testTimeoutMs,
}, async (t) => {
  const balancer = await startBalancer(t, configuration, /10\.0\.0\.(\d):3000/g);
  for (const command of codeBlocks('docs/operations/load-balancer.md', 'sh run')) {
    await run(command.replace('http://localhost:8080', balancer.url));
  }
  const ada = await openSession(first.server);
  const { apiKey } = await ada.createKey({ name: 'through HAProxy', rateLimit: 'off' });
  const stopping = first.server;
  const statuses: number[] = [];
  const verify = async (times: number) => {
    for (let i = 0; i < times; i++) {
      statuses.push((await call(`${balancer.url}/v1/verify`, { headers: bearer(apiKey) })).status);
      await pause(20);
    }
  };
  const during = async (step: Promise<unknown>) => {
    let isOver = false;
    const ending = step.finally(() => {
      isOver = true;
    });
    await verify(1);
    while (!isOver) await verify(1);
    await ending;
  };
  await during(stopping.kill('SIGTERM'));
  assert.match(stopping.output, /no longer ready/);
  await verify(20);
  await during(first.start());
  assert.deepEqual([...new Set(statuses)], [204]);
  const { node } = await first.readiness();
  await eventually(
    async () => (await call(`${balancer.url}/readyz`)).text,
    (text) => text.includes(node),
  );
});

/** Asynchronous, because the networks of the servers are in this process. @returns the output of the command */
async function run(command: string): Promise<string> {
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', command], {
    env: { PATH: process.env.PATH, SOKU_METRICS_TOKEN: variables.SOKU_METRICS_TOKEN },
  });
  return stdout;
}
