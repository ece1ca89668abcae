/** How many requests of a key pass when they come to several nodes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { limitOf } from '../support/limits.ts';
import { patience } from '../support/patience.ts';
import { type Answer, bearer, call, type Person } from '../support/person.ts';
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
  ada = await one.server.signIn();
  await allKnowAll();
});
after(() => cluster.stop());

const verify = (node: ClusterNode, apiKey: string) =>
  call(`${node.url}/v1/verify`, { headers: bearer(apiKey) });
const makeKey = async (rateLimit: number) => (await ada.makeKey({ name: 'limited', rateLimit })).apiKey;

/** Resolves when no node thinks that it is alone: of a key that may ask once, the others then know. */
async function allKnowAll(): Promise<void> {
  for (const node of nodes) {
    for (const other of nodes) {
      const deadline = performance.now() + patience;
      for (let known = node === other; !known; ) {
        const apiKey = await makeKey(1);
        await verify(node, apiKey);
        known = (await verify(other, apiKey)).status === 429;
        assert.ok(known || performance.now() < deadline, `${other.name} does not know of ${node.name}`);
      }
    }
  }
}

/** Asks so many times, ten at a time at each node. */
async function hammer(apiKey: string, at: readonly ClusterNode[], requests: number): Promise<Answer[]> {
  let left = requests;
  const answers: Answer[] = [];
  const one = async (node: ClusterNode) => {
    while (left > 0) {
      left -= 1;
      answers.push(await verify(node, apiKey));
    }
  };
  await Promise.all(at.flatMap((node) => Array.from({ length: 10 }, () => one(node))));
  return answers;
}

const count = (answers: readonly Answer[], status: number) =>
  answers.filter((answer) => answer.status === status).length;

/** What passes of a limit, and what became free again meanwhile: nothing, unless a minute has ended. */
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

for (const [quota, share] of [
  [1000, 16],
  [60, 1],
  [59, 0],
] as const) {
  test(`of ${quota} a minute at least so many pass on three nodes, and at most ${share * size} more`, async () => {
    const apiKey = await makeKey(quota);
    const { passed, free } = await passing(quota, async () => {
      const answers = await hammer(apiKey, nodes, quota + 300);
      assert.equal(count(answers, 204) + count(answers, 429), answers.length);
      return count(answers, 204);
    });
    assert.ok(passed >= quota, `${passed} passed`);
    assert.ok(passed <= quota + share * size + free, `${passed} passed, ${free} were free again`);
  });
}

test('when one node gets all requests, exactly as many pass as may', async () => {
  const apiKey = await makeKey(700);
  const { passed, free } = await passing(700, async () => count(await hammer(apiKey, [nodes[1]], 900), 204));
  assert.ok(passed >= 700 && passed <= 700 + free, `${passed} passed, ${free} were free again`);
});

test('what an answer tells is what is left on all nodes', async () => {
  const apiKey = await makeKey(20);
  const { passed: remaining, free } = await passing(20, async () => {
    for (const node of [...nodes, ...nodes]) assert.equal((await verify(node, apiKey)).status, 204);
    return limitOf(await verify(nodes[0], apiKey)).remaining ?? -1;
  });
  assert.ok(remaining >= 13 && remaining <= 13 + free, `${remaining} remain`);
});

test('a node that stops tells what the others do not know, and one that starts goes on with it', async () => {
  const apiKey = await makeKey(1000);
  const [one, , three] = nodes;
  const { passed: remaining, free } = await passing(1000, async () => {
    // Too few to be told at once.
    for (let i = 0; i < 5; i++) await verify(three, apiKey);
    assert.equal(limitOf(await verify(one, apiKey)).remaining, 999);
    await three.server.kill('SIGTERM');
    await three.startAgain();
    return limitOf(await verify(three, apiKey)).remaining ?? -1;
  });
  assert.ok(remaining >= 994 && remaining <= 994 + free, `${remaining} remain`);
  await allKnowAll();
});

test('a node that is cut off from the database lets pass its part of the limit at most, and tells it afterwards', async () => {
  const [one, , three] = nodes;
  const apiKey = await makeKey(30);
  assert.equal((await verify(three, apiKey)).status, 204);
  const { passed, free } = await passing(30, async () => {
    three.proxy.cut();
    // With a lease it knows the key; without, it knows nothing.
    const alone = await hammer(apiKey, [three], 60);
    assert.equal(count(alone, 204) + count(alone, 503), alone.length);
    assert.ok(count(alone, 204) >= 1 && count(alone, 204) <= 30 / size, `${count(alone, 204)} passed`);
    three.proxy.heal();
    let back: Answer;
    do back = await verify(three, apiKey);
    while (back.status === 503);
    return 1 + count(alone, 204) + count([back], 204) + count(await hammer(apiKey, [one], 60), 204);
  });
  assert.ok(passed >= 30 && passed <= 30 + free, `${passed} passed, ${free} were free again`);
});
