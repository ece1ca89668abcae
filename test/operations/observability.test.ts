/** What operators see of several servers: readiness, the list of servers, metrics. */
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { after, test } from 'node:test';
import { assertProblem, Contract, eventually } from '../support/contract.ts';
import { bearer, call } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { type DeployedNode, Deployment, nodeListSchema } from './nodes.ts';

const deployment = await Deployment.start(2);
after(() => deployment.stop());
const [node, other] = [deployment.node(0), deployment.node(1)];
const ada = await openSession(node.server);

async function nodesOf(one: DeployedNode) {
  const contract = await Contract.of(one);
  return nodeListSchema.parse((await contract.call('GET', '/v1/nodes')).body).data;
}

async function metric({ url }: DeployedNode, name: string): Promise<number> {
  const { text } = await call(`${url}/metrics`);
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.slice(name.length) ?? Number.NaN);
}

/** Resolves when a server has a lease. It loses it briefly if it gets no CPU for longer than a lease. */
const ready = (one: DeployedNode) =>
  eventually(
    () => one.readiness(),
    ({ code }) => code === 200,
  );

const nameOf = ({ server }: DeployedNode) => `${hostname()}:${server.pid}`;

test('/readyz reports the state of the server without any host name', async () => {
  const contract = await Contract.of(node);
  const { text } = await eventually(
    () => contract.call('GET', '/readyz'),
    ({ status }) => status === 200,
  );
  assert.ok(!text.includes(hostname()));
  const { lease, feed, node: id } = await ready(node);
  assert.ok(lease.remainingMs > 0 && lease.remainingMs <= 1800, `${lease.remainingMs} ms`);
  const before = feed.appliedSeq;
  const { key } = await ada.createKey({ name: 'applied' });
  await ada.revoke(key.id);
  const after = await ready(node);
  assert.deepEqual([after.node, after.feed.lag], [id, 0]);
  assert.ok(after.feed.appliedSeq > before);
});

test('a server whose connections are all in use is ready as long as it has a lease', async () => {
  const reader = await ada.createKey({ name: 'reader', scopes: ['keys:read'] });
  const read = () => call(`${node.url}/v1/api-keys/${reader.key.id}`, { headers: bearer(reader.apiKey) });
  const begun = performance.now();
  const requests = await deployment.whileLocked('last_use', async () => {
    // More than the size of the pool.
    const sent = Array.from({ length: 12 }, read);
    await eventually(
      () => metric(node, 'soku_database_connections{pool="usual",state="waiting"}'),
      (waiting) => waiting > 0,
    );
    await ready(node);
    return sent;
  });
  const responses = await Promise.all(requests);
  // On a very busy machine, the lock lasts longer than a request waits for the database: 1.5 s for the key, 3 s for a
  // connection, 5 s for the lock. None fails earlier.
  const waited = performance.now() - begun;
  for (const response of responses.filter(({ status }) => status !== 200)) {
    assertProblem(response, 'verification_unavailable');
    assert.ok(waited >= 1500, `503 within ${waited} ms`);
  }
  await eventually(read, ({ status }) => status === 200);
});

test('/v1/nodes lists all servers and marks the responding one', async () => {
  const nodes = await eventually(
    () => nodesOf(other),
    (all) =>
      all.length === 2 &&
      all.every(({ state, lag }) => state === 'ready' && lag === 0) &&
      all.some(({ lease }) => (lease?.remainingMs ?? 0) > 0),
  );
  const self = nodes.filter((one) => one.self);
  assert.deepEqual(
    self.map(({ name }) => name),
    [nameOf(other)],
  );
  const [neighbor] = nodes.filter((one) => !one.self);
  assert.deepEqual([neighbor?.name, neighbor?.lease], [nameOf(node), null]);
  assert.equal(neighbor?.id, (await node.readiness()).node);
});

test('/metrics reports waits by the server that caused them', async () => {
  const wait = `soku_change_waits_total{node="${nameOf(other)}"}`;
  const names = [wait, 'soku_change_wait_seconds_count', 'soku_change_wait_seconds_bucket{le="+Inf"}'];
  const read = () => Promise.all(names.map(async (name) => (await metric(node, name)) || 0));
  const before = await read();
  const { key } = await ada.createKey({ name: 'waited for' });
  await ada.revoke(key.id);
  const after = await read();
  assert.deepEqual(
    after.map((value, i) => value - (before[i] ?? 0)),
    [1, 1, 1],
  );
  assert.ok((await metric(node, `soku_change_waits_seconds_total{node="${nameOf(other)}"}`)) > 0);
  const seen = () =>
    Promise.all(
      ['soku_nodes{state="ready"}', 'soku_feed_lag', 'soku_lease_remaining_seconds'].map((name) =>
        metric(node, name),
      ),
    );
  await eventually(seen, ([nodes, lag, lease = 0]) => nodes === 2 && lag === 0 && lease > 0);
  assert.ok((await metric(node, 'soku_exchanges_total')) > 0);
  assert.ok((await metric(node, 'soku_database_connections{pool="usual",state="total"}')) > 0);
  assert.equal(await metric(node, 'soku_database_connections{pool="verification",state="waiting"}'), 0);
});

test('a frozen server delays one change, is fenced, listed as silent, and recovers by itself', async (t) => {
  const fenced = await metric(node, 'soku_nodes_fenced_total');
  process.kill(other.server.pid, 'SIGSTOP');
  t.after(() => process.kill(other.server.pid, 'SIGCONT'));
  await eventually(
    async () => (await nodesOf(node)).find(({ self }) => !self)?.state,
    (state) => state === 'silent',
  );
  assert.equal(await metric(node, 'soku_nodes{state="silent"}'), 1);
  const { key } = await ada.createKey({ name: 'without it' });
  await ada.revoke(key.id);
  assert.equal(await metric(node, 'soku_nodes_fenced_total'), fenced + 1);
  process.kill(other.server.pid, 'SIGCONT');
  await eventually(
    () => nodesOf(node),
    (all) => all.length === 2 && all.every(({ state }) => state === 'ready'),
  );
});

test('a server cut off from the database is alive but not ready, and rejects and counts what it cannot verify', async (t) => {
  const { apiKey } = await ada.createKey({ name: 'unchecked' });
  const verify = async () => (await call(`${node.url}/v1/verify`, { headers: bearer(apiKey) })).status;
  const verified = () => eventually(verify, (status) => status === 204);
  await verified();
  node.network.cut();
  t.after(() => node.network.heal());
  await eventually(
    () => node.readiness(),
    ({ code, lease }) => code === 503 && lease.remainingMs === 0,
  );
  assert.equal((await call(`${node.url}/healthz`)).status, 200);
  assert.equal(await verify(), 503);
  assert.ok((await metric(node, 'soku_verifications_total{result="verification_unavailable"}')) >= 1);
  assert.ok((await metric(node, 'soku_exchanges_failed_total')) >= 1);
  assert.equal(await metric(node, 'soku_lease_remaining_seconds'), 0);
  assert.equal(
    (await nodesOf(node)).filter(({ self }) => self).length,
    1,
    'it responds without the database',
  );
  node.network.heal();
  await ready(node);
  await verified();
});
