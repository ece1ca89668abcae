/** The number of requests of a key that pass on several nodes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitOf } from '../support/limits.ts';
import { bearer, call, type HttpResponse } from '../support/person.ts';
import { openSession } from '../support/session.ts';
import type { ClusterNode } from '../torture/cluster.ts';
import { sharedNodes } from './shared-cluster.ts';

const minute = 60_000;

const nodes = await sharedNodes();
const ada = await openSession(nodes[0].server);

const verify = (node: ClusterNode, apiKey: string) =>
  call(`${node.url}/v1/verify`, { headers: bearer(apiKey) });
const createKey = async (rateLimit: number) => (await ada.createKey({ name: 'limited', rateLimit })).apiKey;

/** Sends requests, ten at a time at each node. */
async function hammer(apiKey: string, at: readonly ClusterNode[], requests: number): Promise<HttpResponse[]> {
  let left = requests;
  const responses: HttpResponse[] = [];
  const one = async (node: ClusterNode) => {
    while (left > 0) {
      left -= 1;
      responses.push(await verify(node, apiKey));
    }
  };
  await Promise.all(at.flatMap((node) => Array.from({ length: 10 }, () => one(node))));
  return responses;
}

const count = (responses: readonly HttpResponse[], status: number) =>
  responses.filter((response) => response.status === status).length;

interface Passed {
  passed: number;
  /** How many requests must pass: 95% of the limit, or none if a node was unavailable and may have lost its grants. */
  least: number;
  /** How many requests became available meanwhile: 0 unless a minute has ended. */
  free: number;
}

/** Counts how many of the responses accept the key. */
async function countPassed(quota: number, work: () => Promise<HttpResponse[]>): Promise<Passed> {
  const begun = Date.now();
  const responses = await work();
  const ended = Date.now();
  const [passed, rejected, unavailable] = [
    count(responses, 204),
    count(responses, 429),
    count(responses, 503),
  ];
  assert.equal(passed + rejected + unavailable, responses.length);
  const minuteEnded = Math.floor(begun / minute) !== Math.floor(ended / minute);
  return {
    passed,
    least: unavailable === 0 ? 0.95 * quota : 0,
    free: minuteEnded ? Math.ceil((quota * 1.05 * (ended - begun)) / minute) + 1 : 0,
  };
}

for (const quota of [150, 60, 10]) {
  test(`with a limit of ${quota} requests per minute, 95% to 100% of the limit pass on three nodes`, async () => {
    const apiKey = await createKey(quota);
    const { passed, least, free } = await countPassed(quota, () => hammer(apiKey, nodes, quota + 100));
    assert.ok(passed >= least, `${passed} passed`);
    assert.ok(passed <= quota + free, `${passed} passed, ${free} became available again`);
  });
}

test('when one node gets all requests, 95% to 100% of the limit pass', async () => {
  const apiKey = await createKey(100);
  const { passed, least, free } = await countPassed(100, () => hammer(apiKey, [nodes[1]], 200));
  assert.ok(passed >= least && passed <= 100 + free, `${passed} passed, ${free} became available again`);
});

test('a node rejects a key over its limit from memory, until the time that it reports', async () => {
  const apiKey = await createKey(10);
  const [one] = nodes;
  await hammer(apiKey, nodes, 60);
  one.proxy.cut();
  const rejected = await verify(one, apiKey);
  one.proxy.heal();
  // Without a lease it cannot verify the key.
  if (rejected.status === 503) return;
  assert.equal(rejected.status, 429);
  const { remaining, reset } = limitOf(rejected);
  assert.equal(remaining, 0);
  assert.ok(reset >= 1 && reset <= 120);
});

test('delayed grants do not let more requests pass than the limit', async () => {
  const apiKey = await createKey(120);
  const [one, two] = nodes;
  one.proxy.toServer.delay(150);
  try {
    const { passed, least, free } = await countPassed(120, () => hammer(apiKey, [one, two], 200));
    assert.ok(passed >= least && passed <= 120 + free, `${passed} passed, ${free} became available again`);
  } finally {
    one.proxy.toServer.delay(0);
  }
});

test('a restart of a node does not reset a limit', async () => {
  const apiKey = await createKey(100);
  const [one, , three] = nodes;
  const { passed, least, free } = await countPassed(100, async () => {
    const before = [...(await hammer(apiKey, [three], 40)), ...(await hammer(apiKey, [one], 20))];
    await three.server.kill('SIGTERM');
    await three.restart();
    return [...before, ...(await hammer(apiKey, nodes, 200))];
  });
  // Grants that the node held when it stopped are lost: at most a sixth of the remaining limit.
  assert.ok(
    passed >= 0.75 * least && passed <= 100 + free,
    `${passed} passed, ${free} became available again`,
  );
});

test('a node that is cut off from the database uses its grants and then verifies nothing', async () => {
  const [one, , three] = nodes;
  const apiKey = await createKey(300);
  const first = await verify(three, apiKey);
  assert.equal(first.status, 204);
  let least = 200;
  const { passed, free } = await countPassed(300, async () => {
    three.proxy.cut();
    // With a lease it verifies the key from its cache; without one it cannot.
    const alone = await hammer(apiKey, [three], 100);
    assert.equal(count(alone, 204) + count(alone, 503), alone.length);
    assert.ok(count(alone, 503) > 0);
    // Its share, and one grant of a sixth of the remaining limit.
    assert.ok(count(alone, 204) <= 5 + 50, `${count(alone, 204)} passed`);
    three.proxy.heal();
    let back: HttpResponse;
    do back = await verify(three, apiKey);
    while (back.status === 503);
    const rest = await hammer(apiKey, [one], 400);
    // On a busy machine, the other node may have lost its lease.
    if (count(rest, 503) > 0) least = 0;
    return [first, ...alone, back, ...rest];
  });
  assert.ok(passed >= least && passed <= 300 + free, `${passed} passed, ${free} became available again`);
});
