/** The number of requests of a key that pass on several nodes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { limitOf } from '../support/limits.ts';
import { bearer, call, type HttpResponse, type Person } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import { Cluster, type ClusterNode } from '../torture/cluster.ts';

const size = 3;
const minute = 60_000;

let cluster: Cluster;
let nodes: readonly [ClusterNode, ClusterNode, ClusterNode];
let ada: Person;
before(async () => {
  cluster = await Cluster.start(size);
  const [one, two, three] = cluster.nodes;
  assert.ok(one && two && three);
  nodes = [one, two, three];
  ada = await openSession(one.server);
});
after(() => cluster.stop());

const verify = (node: ClusterNode, apiKey: string) =>
  call(`${node.url}/v1/verify`, { headers: bearer(apiKey) });
const makeKey = async (rateLimit: number) => (await ada.makeKey({ name: 'limited', rateLimit })).apiKey;

/** Sends requests, ten at a time at each node. */
async function hammer(apiKey: string, at: readonly ClusterNode[], requests: number): Promise<HttpResponse[]> {
  let left = requests;
  const answers: HttpResponse[] = [];
  const one = async (node: ClusterNode) => {
    while (left > 0) {
      left -= 1;
      answers.push(await verify(node, apiKey));
    }
  };
  await Promise.all(at.flatMap((node) => Array.from({ length: 10 }, () => one(node))));
  return answers;
}

const count = (answers: readonly HttpResponse[], status: number) =>
  answers.filter((answer) => answer.status === status).length;

/** How many requests pass, and how many became available meanwhile: none, unless a minute has ended. */
async function passing(
  quota: number,
  work: () => Promise<number>,
): Promise<{ passed: number; free: number }> {
  const begun = Date.now();
  const passed = await work();
  const ended = Date.now();
  const turned = Math.floor(begun / minute) !== Math.floor(ended / minute);
  return { passed, free: turned ? Math.ceil((quota * 1.05 * (ended - begun)) / minute) + 1 : 0 };
}

for (const quota of [300, 60, 10]) {
  test(`with ${quota} requests per minute, at most as many and at least 95% pass on three nodes`, async () => {
    const apiKey = await makeKey(quota);
    const { passed, free } = await passing(quota, async () => {
      const answers = await hammer(apiKey, nodes, quota + 100);
      assert.equal(count(answers, 204) + count(answers, 429), answers.length);
      return count(answers, 204);
    });
    assert.ok(passed >= 0.95 * quota, `${passed} passed`);
    assert.ok(passed <= quota + free, `${passed} passed, ${free} were free again`);
  });
}

test('when one node gets all requests, at least 95% and at most 100% of the limit pass', async () => {
  const apiKey = await makeKey(200);
  const { passed, free } = await passing(200, async () => count(await hammer(apiKey, [nodes[1]], 300), 204));
  assert.ok(passed >= 0.95 * 200 && passed <= 200 + free, `${passed} passed, ${free} were free again`);
});

test('a node rejects a key over its limit from memory, until the time that it reports', async () => {
  const apiKey = await makeKey(10);
  const [one] = nodes;
  await hammer(apiKey, nodes, 60);
  one.proxy.cut();
  const refused = await verify(one, apiKey);
  one.proxy.heal();
  // Without a lease it could not know.
  if (refused.status === 503) return;
  assert.equal(refused.status, 429);
  const { remaining, reset } = limitOf(refused);
  assert.equal(remaining, 0);
  assert.ok(reset >= 1 && reset <= 120);
});

test('late grants let no request pass twice', async () => {
  const apiKey = await makeKey(120);
  const [one, two] = nodes;
  one.proxy.toServer.delay(150);
  try {
    const { passed, free } = await passing(120, async () => {
      return count(await hammer(apiKey, [one, two], 200), 204);
    });
    assert.ok(passed >= 0.95 * 120 && passed <= 120 + free, `${passed} passed, ${free} were free again`);
  } finally {
    one.proxy.toServer.delay(0);
  }
});

test('a restarted node does not exceed a used limit', async () => {
  const apiKey = await makeKey(100);
  const [one, , three] = nodes;
  const { passed, free } = await passing(100, async () => {
    let before = count(await hammer(apiKey, [three], 40), 204);
    before += count(await hammer(apiKey, [one], 20), 204);
    await three.server.kill('SIGTERM');
    await three.startAgain();
    return before + count(await hammer(apiKey, nodes, 200), 204);
  });
  // Grants that the node held when it stopped are lost: at most a sixth of the room.
  assert.ok(passed >= 0.75 * 100 && passed <= 100 + free, `${passed} passed, ${free} were free again`);
});

test('a node that is cut off from the database uses its grants and then verifies nothing', async () => {
  const [one, , three] = nodes;
  const apiKey = await makeKey(300);
  assert.equal((await verify(three, apiKey)).status, 204);
  const { passed, free } = await passing(300, async () => {
    three.proxy.cut();
    // With a lease it verifies the key from its cache; without one it cannot.
    const alone = await hammer(apiKey, [three], 200);
    assert.equal(count(alone, 204) + count(alone, 503), alone.length);
    assert.ok(count(alone, 503) > 0);
    // Its share, and one grant of a sixth of the room.
    assert.ok(count(alone, 204) <= 5 + 50, `${count(alone, 204)} passed`);
    three.proxy.heal();
    let back: HttpResponse;
    do back = await verify(three, apiKey);
    while (back.status === 503);
    return 1 + count(alone, 204) + count([back], 204) + count(await hammer(apiKey, [one], 400), 204);
  });
  assert.ok(passed >= 200 && passed <= 300 + free, `${passed} passed, ${free} were free again`);
});
