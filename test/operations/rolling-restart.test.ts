/** A rolling upgrade: each server is stopped and started again in turn, and no client notices. */
import assert from 'node:assert/strict';
import { Agent, get } from 'node:http';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { generateKey } from '@soku/key';
import { eventually } from '../support/contract.ts';
import { bearer, call, type Person } from '../support/person.ts';
import { runCount } from '../support/run-count.ts';
import { openSession } from '../support/session.ts';
import { testTimeoutMs } from '../support/test-timeout.ts';
import { Balancer, tooBusy } from './balancer.ts';
import { type DeployedNode, Deployment } from './nodes.ts';

const deployment = await Deployment.start(3);
after(() => deployment.stop());

/** ms between requests with each key. */
const interval = runCount(60, 10);
/** ms between revokes. The restart must not wait for the CPU time that more of them would take. */
const pauseMs = runCount(60, 25);

/** Verifies keys in turn at a fixed rate until it is stopped. */
class Load {
  readonly unexpected: string[] = [];
  expectedResponses = 0;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #timer: NodeJS.Timeout;
  readonly #open = new Set<Promise<void>>();

  constructor(url: string, keys: { apiKey: string; status: number }[]) {
    // 3 requests per interval. A failed test must not wait for the timer.
    this.#timer = setInterval(() => {
      for (const key of keys) {
        const verification = this.#verify(url, key).finally(() => this.#open.delete(verification));
        this.#open.add(verification);
      }
    }, interval).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
    this.#agent.destroy();
  }

  async #verify(url: string, { apiKey, status }: { apiKey: string; status: number }): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<string>();
    get(`${url}/v1/verify`, { agent: this.#agent, headers: bearer(apiKey) }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      incoming.once('end', () => resolve(`${incoming.statusCode} ${text}`));
    }).once('error', (error) => resolve(`0 ${error.message}`));
    const result = await promise;
    if (result.startsWith(`${status} `)) this.expectedResponses += 1;
    // On a very busy machine a server may lose its lease, or is checked too late.
    else if (!result.includes('"verification_unavailable"') && !result.includes(tooBusy))
      this.unexpected.push(result);
  }
}

/** Repeatedly creates and revokes keys on one server. @returns the number of revokes */
async function revokeUntil(ada: Person, over: Promise<unknown>): Promise<number> {
  let revoked = 0;
  let running = true;
  const finished = over.finally(() => {
    running = false;
  });
  while (running) {
    const { key } = await ada.createKey({ name: 'short' });
    const { status, text } = await ada.call('POST', `/v1/api-keys/${key.id}/revoke`);
    if (status === 200) revoked += 1;
    else assert.equal(status, 503, text);
    await pause(pauseMs);
  }
  await finished;
  return revoked;
}

/** On a very busy machine, the database is too late for the usage of the last seconds: then the server is restarted again. */
async function restart(node: DeployedNode): Promise<void> {
  for (let restarts = 1; !(await restartOnce(node)); restarts++)
    assert.ok(restarts < 4, 'usage was lost at each stop');
}

/** @returns whether the server had written all usage */
async function restartOnce(node: DeployedNode): Promise<boolean> {
  const rows = `SELECT id FROM verifier_node WHERE name LIKE '%:${node.server.pid}'`;
  // On a very busy machine others remove the row of a server that did not get any CPU time; it then adds a new one.
  await eventually(
    () => deployment.query(rows),
    (found) => found.length === 1,
  );
  const { code, signal } = await node.server.kill('SIGTERM');
  assert.equal(signal, null);
  if (code !== 0) {
    assert.equal(code, 69, node.server.output);
    assert.match(node.server.output, /are lost: the database accepted no write for 6 s/);
  }
  // A revoke waits for each row: one that outlives its server would delay the next revoke until its lease has expired.
  assert.deepEqual(await deployment.query(rows), []);
  await node.start();
  return code === 0;
}

test('a rolling restart drops no request, and no revoke waits for a stopped server', {
  timeout: testTimeoutMs,
}, async (t) => {
  const ada = await openSession(deployment.node(0).server);
  const good = await ada.createKey({ name: 'good' });
  const revokedKey = await ada.createKey({ name: 'revoked' });
  await ada.revoke(revokedKey.key.id);
  const balancer = await Balancer.start(deployment.nodes.map(({ url }) => url));
  t.after(() => balancer.stop());
  const load = new Load(balancer.url, [
    { apiKey: good.apiKey, status: 204 },
    { apiKey: revokedKey.apiKey, status: 401 },
    { apiKey: generateKey(), status: 401 },
  ]);
  t.after(() => load.stop());
  for (const [i, node] of deployment.nodes.entries()) {
    const other = await openSession(deployment.node((i + 1) % deployment.nodes.length).server);
    const revoked = await revokeUntil(other, restart(node));
    assert.ok(revoked > 0, 'keys were revoked meanwhile');
    await balancer.sendsTo(node.url);
  }
  await load.stop();
  assert.deepEqual(load.unexpected, []);
  assert.ok(load.expectedResponses > 100, `${load.expectedResponses} got the expected response`);
});

test('a stopping server first reports it at /readyz and keeps serving for a moment', {
  timeout: testTimeoutMs,
}, async () => {
  const [node, other] = [deployment.node(0), deployment.node(1)];
  const ada = await openSession(other.server);
  const { apiKey, key } = await ada.createKey({ name: 'until the end' });
  assert.equal((await node.readiness()).status, 'ok');
  process.kill(node.server.pid, 'SIGTERM');
  await node.server.printed('no longer ready');
  const { code, status } = await node.readiness();
  assert.deepEqual([code, status], [503, 'unavailable']);
  assert.equal((await call(`${node.url}/healthz`)).status, 200, 'the process is healthy');
  const accepted = await call(`${node.url}/v1/verify`, { headers: bearer(apiKey) });
  assert.equal(accepted.status, 204);
  assert.equal(accepted.headers.get('connection'), 'close');
  await ada.revoke(key.id);
  const rejected = await call(`${node.url}/v1/verify`, { headers: bearer(apiKey) });
  assert.equal(rejected.status, 401, 'it applies revokes as long as it serves');
  assert.deepEqual(await node.server.exited(), { code: 0, signal: null });
  await node.start();
});
