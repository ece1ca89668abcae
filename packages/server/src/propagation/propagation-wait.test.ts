import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultFreeWorld } from '../../../../test/simulation/fault-free-world.ts';
import type { Acknowledgment, ClusterStore } from './cluster-store.ts';

/** A node that waits for two others, which receive no notifications, and the state of its wait. */
async function waitForTwo() {
  const world = new FaultFreeWorld();
  const { store } = world.node('waiting');
  let heartbeats = 0;
  const counted: ClusterStore = {
    register: (row) => store.register(row),
    readHead: () => store.readHead(),
    lacks: (position) => store.lacks(position),
    sendHeartbeat: (row) => {
      heartbeats += 1;
      return store.sendHeartbeat(row);
    },
    fence: (id, renewal) => store.fence(id, renewal),
    leave: (id) => store.leave(id),
  };
  const waiting = world.node('waiting', { store: counted });
  const others = [world.node('one'), world.node('two')];
  await Promise.all([waiting, ...others].map(({ node }) => node.start()).concat(world.run(1000)));
  world.change('key_1');
  let nodes: number | undefined;
  const { node, host } = waiting;
  void node.settle(host.clock.monotonic()).then((settled) => {
    nodes = settled.nodes;
  });
  await world.run(5);
  heartbeats = 0;
  const { token } = world.database.head;
  const [one = '', two = ''] = others.map((other) => other.node.status().id);
  /** Notifies the waiting node that another one has acknowledged a change. */
  const acknowledge = async (nodeId: string, changed: Partial<Acknowledgment> = {}) => {
    const { renewal = '' } = world.database.nodes.get(nodeId) ?? {};
    node.onAcknowledgment({ nodeId, renewal, seq: 1, token, ...changed });
    await world.run(2);
  };
  return {
    world,
    acknowledge,
    own: node.status().id,
    one,
    two,
    nodes: () => nodes,
    heartbeats: () => heartbeats,
  };
}

test('notified acknowledgments of the change end the wait without reading the rows', async () => {
  const { acknowledge, one, two, nodes, heartbeats } = await waitForTwo();
  await acknowledge(one);
  assert.equal(nodes(), undefined);
  await acknowledge(two);
  assert.deepEqual([nodes(), heartbeats()], [3, 0]);
});

test('an acknowledgment of another change with the same number does not count', async () => {
  const { acknowledge, one, two, nodes, heartbeats } = await waitForTwo();
  await acknowledge(one);
  await acknowledge(two, { token: 'of a change that a failover has lost' });
  assert.deepEqual([nodes(), heartbeats()], [undefined, 1], 'the rows decide');
});

test('an acknowledgment from a sender that cannot read the rows does not count', async () => {
  const { acknowledge, one, two, nodes, heartbeats } = await waitForTwo();
  await acknowledge(one);
  await acknowledge(two, { renewal: 'guessed' });
  assert.deepEqual([nodes(), heartbeats()], [undefined, 1], 'the rows decide');
});

test('after an acknowledgment of a later change the rows decide', async () => {
  const { world, acknowledge, one, two, nodes } = await waitForTwo();
  await acknowledge(one);
  const row = world.database.nodes.get(two);
  assert.ok(row !== undefined);
  await acknowledge(two, { seq: 2, token: 'later' });
  assert.equal(nodes(), undefined);
  world.database.nodes.set(two, { ...row, ackedSeq: 2 });
  await acknowledge(two, { seq: 2, token: 'later' });
  assert.equal(nodes(), 3);
});

test('acknowledgments of the node itself or of an unknown node do not count', async () => {
  const { acknowledge, own, one, nodes, heartbeats } = await waitForTwo();
  await acknowledge(own);
  assert.deepEqual([nodes(), heartbeats()], [undefined, 0]);
  await acknowledge('unknown');
  await acknowledge(one);
  await acknowledge(one);
  assert.equal(nodes(), undefined);
});

test('a node that two others fence at the same time is counted once', async () => {
  const world = new FaultFreeWorld();
  const [frozen, ...others] = ['frozen', 'one', 'two'].map((name) => world.node(name));
  await Promise.all([frozen, ...others].map((one) => one?.node.start()).concat(world.run(1000)));
  frozen?.host.pause(60_000, false);
  await world.run(3000);
  world.change('key_1');
  const settled = others.map(({ node, host }) => node.settle(host.clock.monotonic()));
  await Promise.all([...settled, world.run(1000)]);
  const counts = others.map(({ node }) => node.waitMetrics.fenced);
  assert.deepEqual(counts.sort(), [0, 1]);
});
