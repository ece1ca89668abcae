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

/** Whether the first node tells of so many uses within so many ms. */
async function isSeen(id: string, wanted: number, within: number): Promise<boolean> {
  for (const end = performance.now() + within; performance.now() < end; await pause(50)) {
    const { accepted } = await usageOf(id);
    if (accepted === wanted) return true;
    assert.ok(accepted < wanted, `${accepted} of ${wanted}`);
  }
  return false;
}

/** Resolves when it does. */
async function seen(id: string, wanted: number): Promise<void> {
  assert.ok(await isSeen(id, wanted, patience), `${wanted} were not seen`);
}

test('what is used on one node is seen on the other within seconds, and each use counts once', async () => {
  const { apiKey, key } = await ada.makeKey({ name: 'used on both' });
  await use(one, apiKey, 3);
  assert.equal((await usageOf(key.id)).accepted, 3, 'of this node at once');
  await use(other, apiKey, 20);
  await seen(key.id, 23);
  const { lastUsedAt } = await usageOf(key.id);
  assert.ok(Date.now() - Date.parse(lastUsedAt ?? '') < 2 * patience, `${lastUsedAt}`);

  // The database gets what the node writes, and the node never hears of it. When all of its connections wait for other
  // answers first, it cannot write, and it is tried again.
  let used = 23;
  for (;;) {
    await use(other, apiKey, 10);
    used += 10;
    other.proxy.toClient.hold();
    if (await isSeen(key.id, used, 10_000)) break;
    other.proxy.toClient.release();
    while ((await call(`${other.url}/readyz`)).status !== 200) await pause(10);
    await seen(key.id, used);
  }
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
  assert.equal((await usageOf(key.id)).accepted, used + 10);
});
