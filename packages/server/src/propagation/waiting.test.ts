import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QuietWorld } from '../../../../test/simulation/quiet.ts';
import type { Acknowledgement, FeedLink } from './link.ts';

/** A node that waits for two others, which hear of nothing, and what it has found so far. */
async function waitForTwo() {
  const world = new QuietWorld();
  const { link } = world.node('waiting');
  let exchanges = 0;
  const counted: FeedLink = {
    register: (row) => link.register(row),
    readHead: () => link.readHead(),
    exchange: (row) => {
      exchanges += 1;
      return link.exchange(row);
    },
    fence: (id, renewal) => link.fence(id, renewal),
    leave: (id) => link.leave(id),
  };
  const waiting = world.node('waiting', { link: counted });
  const others = [world.node('one'), world.node('two')];
  await Promise.all([waiting, ...others].map(({ node }) => node.start()).concat(world.run(1000)));
  world.change('key_1');
  let nodes: number | undefined;
  const { node, host } = waiting;
  void node.settle(host.clock.monotonic()).then((settled) => {
    nodes = settled.nodes;
  });
  await world.run(5);
  exchanges = 0;
  const { token } = world.database.head;
  const [one = '', two = ''] = others.map((other) => other.node.status().id);
  /** The waiting node hears that a node has acknowledged a change. */
  const hear = async (nodeId: string, changed: Partial<Acknowledgement> = {}) => {
    const { renewal = '' } = world.database.nodes.get(nodeId) ?? {};
    node.acked({ nodeId, renewal, seq: 1, token, ...changed });
    await world.run(2);
  };
  return { world, hear, own: node.status().id, one, two, nodes: () => nodes, exchanges: () => exchanges };
}

test('notified acknowledgements of the change end the wait without a look at the rows', async () => {
  const { hear, one, two, nodes, exchanges } = await waitForTwo();
  await hear(one);
  assert.equal(nodes(), undefined);
  await hear(two);
  assert.deepEqual([nodes(), exchanges()], [3, 0]);
});

test('an acknowledgement of another change with the same number does not count', async () => {
  const { hear, one, two, nodes, exchanges } = await waitForTwo();
  await hear(one);
  await hear(two, { token: 'of a change that a failover has lost' });
  assert.deepEqual([nodes(), exchanges()], [undefined, 1], 'the rows decide');
});

test('an acknowledgement by someone who cannot read the rows does not count', async () => {
  const { hear, one, two, nodes, exchanges } = await waitForTwo();
  await hear(one);
  await hear(two, { renewal: 'guessed' });
  assert.deepEqual([nodes(), exchanges()], [undefined, 1], 'the rows decide');
});

test('an acknowledgement of a later change makes the rows decide', async () => {
  const { world, hear, one, two, nodes } = await waitForTwo();
  await hear(one);
  const row = world.database.nodes.get(two);
  assert.ok(row !== undefined);
  await hear(two, { seq: 2, token: 'later' });
  assert.equal(nodes(), undefined);
  world.database.nodes.set(two, { ...row, ackedSeq: 2 });
  await hear(two, { seq: 2, token: 'later' });
  assert.equal(nodes(), 3);
});

test('its own acknowledgement, or that of an unknown node, does not count', async () => {
  const { hear, own, one, nodes, exchanges } = await waitForTwo();
  await hear(own);
  assert.deepEqual([nodes(), exchanges()], [undefined, 0]);
  await hear('unknown');
  await hear(one);
  await hear(one);
  assert.equal(nodes(), undefined);
});
