/** Uses on one node are seen on the others, and counted once whatever happens to their connections. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { keySchema } from '@soku/contract/keys';
import { usageSchema } from '@soku/contract/usage';
import { patience } from '../support/patience.ts';
import { bearer, call, type Person } from '../support/person.ts';
import { Cluster, type ClusterNode } from '../torture/cluster.ts';

let cluster: Cluster;
let one: ClusterNode;
let other: ClusterNode;
let ada: Person;
before(async () => {
  cluster = await Cluster.start(2);
  const [first, second] = cluster.nodes;
  assert.ok(first && second);
  [one, other] = [first, second];
  ada = await one.server.signIn();
});
after(() => cluster.stop());

async function use(node: ClusterNode, apiKey: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const { status } = await call(`${node.url}/v1/verify`, { headers: bearer(apiKey) });
    assert.equal(status, 204);
  }
}

/** As the first node tells it. */
async function usageOf(id: string) {
  const usage = usageSchema.parse((await ada.call('GET', `/v1/api-keys/${id}/usage`)).body);
  const { lastUsedAt } = keySchema.parse((await ada.call('GET', `/v1/api-keys/${id}`)).body);
  return { ...usage, lastUsedAt };
}

/** Resolves when the first node tells of so many uses. */
async function seen(id: string, wanted: number): Promise<void> {
  const begun = performance.now();
  for (;;) {
    const { accepted } = await usageOf(id);
    if (accepted === wanted) return;
    const waited = performance.now() - begun;
    assert.ok(accepted < wanted && waited < patience, `${accepted} of ${wanted} after ${waited} ms`);
    await pause(50);
  }
}

test('what is used on one node is seen on the other within seconds, and each use counts once', async () => {
  const { apiKey, key } = await ada.makeKey({ name: 'used on both' });
  await use(one, apiKey, 3);
  assert.equal((await usageOf(key.id)).accepted, 3, 'of this node at once');
  await use(other, apiKey, 20);
  await seen(key.id, 23);
  const { lastUsedAt } = await usageOf(key.id);
  assert.ok(Date.now() - Date.parse(lastUsedAt ?? '') < 2 * patience, `${lastUsedAt}`);

  // The database gets what the node writes, and the node never hears of it.
  await use(other, apiKey, 10);
  other.proxy.toClient.hold();
  await seen(key.id, 33);
  other.proxy.cut();
  other.proxy.toClient.release();
  other.proxy.heal();
  while ((await call(`${other.url}/readyz`)).status !== 200) await pause(10);
  await use(other, apiKey, 5);
  await use(one, apiKey, 5);

  // A stop writes what is left; afterwards the database alone knows.
  for (const { server } of [other, one]) {
    assert.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null });
  }
  await one.startAgain();
  assert.equal((await usageOf(key.id)).accepted, 43);
});
