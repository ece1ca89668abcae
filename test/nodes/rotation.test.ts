/** Rotations on several nodes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../support/contract.ts';
import { HttpSocket } from '../support/http-socket.ts';
import { call } from '../support/person.ts';
import { Rotations } from '../support/rotation.ts';
import type { ClusterNode } from '../torture/cluster.ts';
import { bearerField, request } from '../torture/reconnecting-connection.ts';
import { sharedNodes, verify } from './shared-cluster.ts';

const nodes = await sharedNodes();

/** Waits until the key is cached on a node, which has a lease. */
async function cacheOn(node: ClusterNode, apiKey: string): Promise<void> {
  while ((await verify(node, apiKey)) !== 204 || (await call(`${node.url}/readyz`)).status !== 200) {
    await pause(10);
  }
}

test('a grace starts with the first use on another node, and ends on all of them', async () => {
  const [one, other, third] = nodes;
  const rotations = await Rotations.on(one.server);
  const first = await rotations.create();
  for (const node of nodes) await cacheOn(node, first.apiKey);
  const second = await rotations.rotate(first.key.id, { graceSeconds: 1, startGrace: 'firstUse' });
  for (const node of nodes) assert.equal(await verify(node, first.apiKey), 204);
  const from = Date.now();
  for (const node of [other, third]) assert.equal(await verify(node, second.apiKey), 204);
  const key = await eventually(
    () => rotations.show(first.key.id),
    ({ secrets }) => secrets[1]?.retiresAt !== null,
  );
  const end = Date.parse(key.secrets[1]?.retiresAt ?? '');
  assert.ok(end >= from + 1000, 'not before the grace is over');
  for (const node of nodes) {
    while ((await verify(node, first.apiKey)) !== 401) await pause(10);
    assert.ok(Date.now() >= end);
    assert.equal(await verify(node, second.apiKey), 204);
  }
});

for (const how of ['a rotation without grace', 'a retirement']) {
  test(`no node accepts the older secret once ${how} has returned, even one that was frozen`, async () => {
    const [one, other, frozen] = nodes;
    const rotations = await Rotations.on(one.server);
    const first = await rotations.create();
    const { key } =
      how === 'a retirement' ? await rotations.rotate(first.key.id, { graceSeconds: 3600 }) : first;
    for (const node of [frozen, other]) await cacheOn(node, first.apiKey);
    const socket = await HttpSocket.open(frozen.url);
    frozen.freeze();
    try {
      const ended =
        how === 'a retirement'
          ? rotations.tryRetire(key.id, first.key.secrets[0]?.id)
          : rotations.tryRotate(key.id, { body: { graceSeconds: 0 } });
      // It is committed and waits; a repeated retirement waits, too.
      while ((await verify(other, first.apiKey)) !== 401) await pause(5);
      const again = how === 'a retirement' ? rotations.tryRetire(key.id, first.key.secrets[0]?.id) : ended;
      const winner = await Promise.race([ended, again]);
      assert.ok(winner.status < 300, winner.text);
      const verification = socket.send(request('GET', '/v1/verify', bearerField(first.apiKey)));
      frozen.thaw();
      assert.equal((await verification).status, 401, 'accepted after the call returned');
      for (const response of await Promise.all([ended, again]))
        assert.ok(response.status < 300, response.text);
    } finally {
      frozen.thaw();
      socket.close();
    }
  });
}
