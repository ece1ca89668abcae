import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultFreeWorld } from '../../../../test/simulation/fault-free-world.ts';
import type { ClusterStore } from './cluster-store.ts';

/** ms after which a change is in effect, whatever the other nodes do: the lease plus its margin. */
const longestWait = 2200;

/** Two running nodes. */
async function twoNodes() {
  const world = new FaultFreeWorld();
  const [one, two] = [world.node('one'), world.node('two')];
  await Promise.all([one.node.start(), two.node.start(), world.run(1000)]);
  return { world, one, two };
}

/** Returns the value with which a promise has resolved so far. */
function watch<T>(promise: Promise<T>): () => T | undefined {
  let result: T | undefined;
  void promise.then((value) => {
    result = value;
  });
  return () => result;
}

test('a node gets its lease with the first heartbeat and keeps it', async () => {
  const world = new FaultFreeWorld();
  const { node, calls, holds } = world.node('one');
  const start = watch(node.start().then(() => holds()));
  while (start() === undefined) await world.run(1);
  assert.equal(start(), false, 'registration grants no lease');
  for (let second = 0; second < 5; second += 1) {
    await world.run(1000);
    assert.equal(holds(), true);
  }
  assert.deepEqual(calls, ['clear']);
});

test('a heartbeat soon after a renewal writes only acknowledgments', async () => {
  const world = new FaultFreeWorld();
  const { store } = world.node('one');
  const sent: { acked: number; renews: boolean }[] = [];
  const { node, holds } = world.node('one', {
    store: {
      register: (row) => store.register(row),
      readHead: () => store.readHead(),
      lacks: (position) => store.lacks(position),
      sendHeartbeat: (row) => {
        sent.push({ acked: row.acked.seq, renews: row.renewal !== undefined });
        return store.sendHeartbeat(row);
      },
      fence: (id, renewal) => store.fence(id, renewal),
      leave: (id) => store.leave(id),
    },
  });
  await Promise.all([node.start(), world.run(20)]);
  assert.deepEqual(sent, [{ acked: 0, renews: true }]);
  world.change('key_1');
  for (let woken = 0; woken < 2; woken += 1) {
    node.wake();
    await world.run(20);
    assert.equal(world.database.nodes.get(node.status().id)?.ackedSeq, 1);
  }
  assert.deepEqual(sent.slice(1), [
    { acked: 0, renews: false },
    { acked: 1, renews: true },
    { acked: 1, renews: false },
  ]);
  void node.nextHeartbeat();
  assert.deepEqual(sent.at(-1), { acked: 1, renews: true }, 'a revoke waits for this heartbeat');
  await world.run(20);
  // However often it is woken, its lease does not expire.
  for (let woken = 0; woken < 100; woken += 1) {
    node.wake();
    await world.run(50);
    assert.equal(holds(), true);
  }
});

test('a node does not start with a lease length that differs from the database', async () => {
  const world = new FaultFreeWorld();
  const { node, holds } = world.node('one', { leaseMs: 3000 });
  const rejected = assert.rejects(node.start(), /lease length is 2000 ms in the database but 3000 ms here/);
  await world.run(5000);
  await rejected;
  assert.equal(holds(), false);
});

test('the status lists all nodes', async () => {
  const { world, one, two } = await twoNodes();
  two.host.pause(60_000, false);
  world.change('key_1');
  await world.run(1000);
  const { leaseMs, id, ...status } = one.node.status();
  const { nodes: unordered, ...rest } = status;
  const nodes = unordered.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  assert.deepEqual(rest, { name: 'one', registered: true, appliedSeq: 1, headSeq: 1, lag: 0 });
  assert.ok(leaseMs > 1300 && leaseMs <= 1800, `${leaseMs} ms are left`);
  const seen = nodes.map(({ name, ackedSeq, self }) => ({ name, ackedSeq, self }));
  assert.deepEqual(seen, [
    { name: 'one', ackedSeq: 1, self: true },
    { name: 'two', ackedSeq: 0, self: false },
  ]);
  assert.equal(nodes[0]?.id, id);
  const silent = nodes[1]?.silentMs ?? 0;
  assert.ok(silent >= 1000 && silent < 1500, `silent for ${silent} ms`);
});

test('a change is in effect as soon as the other node has acknowledged it', async () => {
  const { world, one, two } = await twoNodes();
  world.change('key_1');
  const settled = watch(one.node.settle(one.host.clock.monotonic()));
  await world.run(20);
  assert.equal(settled(), undefined, 'the other node was not woken');
  assert.deepEqual(one.calls, ['clear', 'evict key_1'], 'this node has already applied it');
  two.node.wake();
  await world.run(20);
  one.node.onAcknowledgment(undefined);
  await world.run(20);
  const { nodes, waitedMs } = settled() ?? {};
  assert.equal(nodes, 2);
  assert.ok(waitedMs !== undefined && waitedMs < 60, `${waitedMs} ms`);
  assert.deepEqual(two.calls, ['clear', 'evict key_1']);
  const { all, byName } = one.node.waitMetrics;
  assert.equal(all.count, 1);
  assert.deepEqual([...byName.keys()], ['two']);
});

test('acknowledgments are found without notifications', async () => {
  const { world, one } = await twoNodes();
  world.change('key_1');
  const settled = watch(one.node.settle(one.host.clock.monotonic()));
  await world.run(600);
  assert.equal(settled()?.nodes, 2);
});

test('an acknowledgment wakes the waiting call', async () => {
  const { world, one, two } = await twoNodes();
  two.host.pause(150, false);
  world.change('key_1');
  const settled = watch(one.node.settle(one.host.clock.monotonic()));
  // It has read the rows three times; the fourth read would follow 100 ms after the third.
  await world.run(190);
  two.node.wake();
  await world.run(15);
  assert.equal(settled(), undefined);
  one.node.onAcknowledgment(undefined);
  await world.run(10);
  assert.equal(settled()?.nodes, 2);
});

test('a change waits for a frozen node until its lease has expired, and the next change does not wait for it', async () => {
  const { world, one, two } = await twoNodes();
  two.host.pause(60_000, false);
  world.change('key_1');
  const first = watch(one.node.settle(one.host.clock.monotonic()));
  await world.run(1500);
  assert.equal(first(), undefined);
  await world.run(longestWait - 1500 + 2);
  assert.equal(first()?.nodes, 1);
  world.change('key_2');
  const second = watch(one.node.settle(one.host.clock.monotonic()));
  await world.run(20);
  assert.equal(second()?.nodes, 1);
  assert.equal(world.database.nodes.size, 1);
  assert.equal(one.node.waitMetrics.fenced, 1);
});

test('without the database, a change is in effect when all leases have expired, including its own', async () => {
  const { world, one, two } = await twoNodes();
  world.change('key_1');
  for (const { host } of [one, two]) host.cut(60_000);
  const settled = watch(one.node.settle(one.host.clock.monotonic()));
  await world.run(longestWait - 1);
  assert.equal(settled(), undefined);
  await world.run(2);
  assert.equal(settled()?.nodes, 1);
  assert.deepEqual([one.holds(), two.holds()], [false, false]);
  assert.deepEqual(one.calls, ['clear', 'no response']);
});

test('a node that was cut off recovers when the database is back', async () => {
  const { world, one } = await twoNodes();
  one.host.cut(1600);
  await world.run(1500);
  assert.deepEqual(one.calls, ['clear', 'no response']);
  world.change('key_1');
  await world.run(2000);
  assert.deepEqual(one.calls, ['clear', 'no response', 'evict key_1', 'recovered']);
  assert.equal(one.holds(), true);
});

test('a node whose row was removed starts over with a new ID', async () => {
  const { world, one } = await twoNodes();
  const { id } = one.node.status();
  world.database.nodes.delete(id);
  await world.run(1000);
  assert.deepEqual([one.calls[1], one.calls.at(-1)], ['clear', 'recovered']);
  const failures = one.calls.filter((call) => /starts over with an empty cache$/.test(call));
  assert.equal(failures.length, 1);
  assert.notEqual(one.node.status().id, id);
  assert.deepEqual([one.holds(), world.database.nodes.size], [true, 2]);
});

test('a node that starts over because changes are missing deletes its old row', async () => {
  const { world, one } = await twoNodes();
  const { id } = one.node.status();
  world.change('key_1');
  world.database.prune(0);
  await world.run(1500);
  assert.notEqual(one.node.status().id, id);
  assert.equal(world.database.nodes.size, 2);
  assert.deepEqual([one.holds(), one.node.status().appliedSeq], [true, 1]);
});

test('a change does not wait for an old row of its own process', async () => {
  const world = new FaultFreeWorld();
  const { node, host, store } = world.node('one', {});
  const cannotLeave: ClusterStore = {
    register: (row) => store.register(row),
    readHead: () => store.readHead(),
    lacks: (position) => store.lacks(position),
    sendHeartbeat: (row) => store.sendHeartbeat(row),
    fence: async () => 'renewed',
    leave: () => Promise.reject(new Error('no')),
  };
  const stuck = world.node('two', { store: cannotLeave });
  await Promise.all([node.start(), stuck.node.start(), world.run(1000)]);
  world.change('key_1');
  world.database.prune(0);
  await world.run(1500);
  assert.equal(world.database.nodes.size, 3, 'the old row of the second node still exists');
  const settled = watch(stuck.node.settle(stuck.host.clock.monotonic()));
  await world.run(100);
  assert.equal(settled()?.nodes, 2);
  assert.equal(host.alive, true);
});

test('other nodes remove a node that has been silent for long', async () => {
  const { world, one, two } = await twoNodes();
  two.host.alive = false;
  await world.run(59_000);
  assert.equal(world.database.nodes.size, 2);
  await world.run(3000);
  assert.equal(world.database.nodes.size, 1);
  assert.equal(one.node.waitMetrics.fenced, 1);
});

test('no change waits for a stopped node, and it accepts nothing from its cache', async () => {
  const { world, one, two } = await twoNodes();
  const stopped = watch(two.node.stop().then(() => true));
  assert.equal(two.holds(), false, 'as soon as stop is called');
  await world.run(20);
  assert.equal(stopped(), true);
  world.change('key_1');
  const settled = watch(one.node.settle(one.host.clock.monotonic()));
  await world.run(20);
  assert.equal(settled()?.nodes, 1);
  await world.run(3000);
  assert.deepEqual([two.holds(), two.node.status().registered], [false, false]);
  assert.deepEqual(two.calls, ['clear', 'clear'], 'no failure is reported');
});

test('a response that arrives after stop grants no lease', async () => {
  const { world, two } = await twoNodes();
  void two.node.nextHeartbeat();
  const stop = two.node.stop();
  await Promise.all([stop, world.run(20)]);
  assert.equal(two.holds(), false);
  assert.equal(two.node.mayCache(two.node.beginRead(), { seq: 9, token: '' }), false);
});

test('stop ends within two seconds when the database never responds', async () => {
  const world = new FaultFreeWorld();
  const never = () => new Promise<never>(() => undefined);
  const { node, store } = world.node('one');
  const stuck = world.node('two', {
    store: {
      register: (row) => store.register(row),
      readHead: () => store.readHead(),
      lacks: (position) => store.lacks(position),
      sendHeartbeat: never,
      fence: never,
      leave: never,
    },
  });
  await Promise.all([node.start(), stuck.node.start(), world.run(100)]);
  const stopped = watch(stuck.node.stop().then(() => true));
  await world.run(1990);
  assert.equal(stopped(), undefined);
  await world.run(20);
  assert.equal(stopped(), true);
});
