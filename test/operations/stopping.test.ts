/** Stopping a server: during a revoke, and while the database does not respond. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { keySchema } from '@soku/contract/keys';
import { revokedKeySchema } from '@soku/contract/revocations';
import { eventually } from '../support/contract.ts';
import { bearer, call, Person } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { testTimeoutMs } from '../support/test-timeout.ts';
import { type DeployedNode, Deployment } from './nodes.ts';

const deployment = await Deployment.start(3);
after(() => deployment.stop());
const [a, b, c] = [deployment.node(0), deployment.node(1), deployment.node(2)];
const { cookie } = await openSession(a.server);

test('a revoke that waits for a frozen server completes correctly even if its own server is stopping', {
  timeout: testTimeoutMs,
}, async (t) => {
  const ada = new Person(b.url, cookie);
  const { apiKey, key } = await ada.createKey({ name: 'under way' });
  process.kill(c.server.pid, 'SIGSTOP');
  t.after(() => process.kill(c.server.pid, 'SIGCONT'));
  const revoking = new Person(a.url, cookie).call('POST', `/v1/api-keys/${key.id}/revoke`);
  await eventually(
    async () => keySchema.parse((await ada.call('GET', `/v1/api-keys/${key.id}`)).body).status,
    (status) => status === 'revoked',
  );
  const stopped = a.server.kill('SIGTERM');
  const { status, body, text } = await revoking;
  assert.equal(status, 200, text);
  const { effective, nodes, waitedMs } = revokedKeySchema.parse(body).revocation;
  assert.equal(effective, true);
  // On a busy machine, the third server may be late, too, and part of the lease is over when the revoke begins.
  assert.ok(
    [1, 2].includes(nodes),
    'the frozen server has not applied it, and may not verify from its cache',
  );
  assert.ok(waitedMs > 0, `${waitedMs} ms`);
  assert.equal(await verified(b, apiKey), 401);
  assert.deepEqual(await stopped, { code: 0, signal: null });
  await a.start();
});

/** The status of a verification. A server that gets no CPU for longer than a lease responds 503 until it has another. */
async function verified(node: DeployedNode, apiKey: string): Promise<number> {
  return eventually(
    async () => (await call(`${node.url}/v1/verify`, { headers: bearer(apiKey) })).status,
    (status) => status !== 503,
  );
}

/** Uses a key, so that there is usage to write, cuts a server off, and stops it. @returns its exit code */
async function stopCutOff(node: DeployedNode, { uses, cut }: { uses: boolean; cut: () => void }) {
  const { apiKey } = await new Person(node.url, cookie).createKey({ name: 'used' });
  if (uses) assert.equal(await verified(node, apiKey), 204);
  cut();
  // From the cache: the first use may have been written in the meantime.
  if (uses) await call(`${node.url}/v1/verify`, { headers: bearer(apiKey) });
  const since = performance.now();
  const { code } = await node.server.kill('SIGTERM');
  const took = performance.now() - since;
  assert.ok(took < 30_000, `it took ${took} ms`);
  return code;
}

test('a stop while the database does not respond ends in time and logs what is lost', {
  timeout: testTimeoutMs,
}, async () => {
  const codes = await Promise.all([
    stopCutOff(a, { uses: true, cut: () => a.network.cut() }),
    stopCutOff(b, { uses: true, cut: () => b.network.blackhole() }),
    stopCutOff(c, { uses: false, cut: () => c.network.blackhole() }),
  ]);
  assert.deepEqual(codes, [69, 69, 0]);
  for (const { server } of [a, b])
    assert.match(server.output, /Usage and rate-limit counts of the last seconds are lost/);
  assert.doesNotMatch(c.server.output, /are lost/);
  for (const { server } of deployment.nodes) assert.match(server.output, /"msg":"Stopped"\}\n$/);
});
