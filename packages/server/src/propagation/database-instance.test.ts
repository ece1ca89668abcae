import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FaultFreeWorld } from '../../../../test/simulation/fault-free-world.ts';

test('after a restart of the database, a node accepts nothing before it was compared with the journal', async () => {
  const world = new FaultFreeWorld();
  let compared: Promise<string> = Promise.resolve(world.database.instance);
  const { node, calls, holds } = world.node('one', {
    instanceHandlers: {
      replaced: () => calls.push('replaced'),
      reapply: () => compared,
      lostChanges: () => calls.push('lost changes'),
    },
  });
  await Promise.all([node.start(), world.run(1000)]);
  const former = world.database.instance;
  assert.equal(node.trusts(former), true);
  const comparison = Promise.withResolvers<string>();
  compared = comparison.promise;
  world.database.restart(false);
  await world.run(2000);
  assert.ok(calls.includes('replaced'));
  assert.deepEqual([holds(), node.trusts(world.database.instance)], [false, false]);
  const ended: [number, boolean][] = [];
  const waits = [500, 10_000].map((ms) => node.whenTrusted(ms).then((trusted) => ended.push([ms, trusted])));
  await world.run(400);
  assert.deepEqual(ended, []);
  await world.run(200);
  assert.deepEqual(ended, [[500, false]]);
  comparison.resolve(world.database.instance);
  await Promise.all([...waits, world.run(1000)]);
  assert.deepEqual(ended[1], [10_000, true]);
  assert.equal(calls.at(-1), 'recovered');
  assert.deepEqual([holds(), node.trusts(world.database.instance)], [true, true]);
  assert.ok(!calls.includes('lost changes'));
  // A former primary responds.
  assert.equal(node.trusts(former), false);
  assert.deepEqual([holds(), calls.filter((call) => call === 'replaced').length], [false, 2]);
});

test('a node reports that another instance lacks a change that it had applied', async () => {
  const world = new FaultFreeWorld();
  const one = world.node('one');
  await Promise.all([one.node.start(), world.run(1000)]);
  const { head, changes } = world.database;
  world.change('key_1');
  await world.run(1000);
  Object.assign(world.database, { head, changes });
  world.database.restart(false);
  await world.run(3000);
  assert.deepEqual(one.calls.slice(-4), ['clear', 'reapply', 'lost changes', 'recovered']);
  assert.equal(one.holds(), true);
});

test('a node that starts during a failover compares the instance with which it registers', async () => {
  const world = new FaultFreeWorld();
  const former = world.database.instance;
  world.database.restart(false);
  const { node, calls, holds } = world.node('one', {
    instanceHandlers: {
      replaced: () => calls.push('replaced'),
      reapply: async () => {
        calls.push('reapply');
        // At first the name of the database still leads to the former primary.
        return calls.includes('replaced') ? world.database.instance : former;
      },
      lostChanges: () => calls.push('lost changes'),
    },
  });
  const started = node.start();
  await Promise.all([started, world.run(2000)]);
  assert.equal(holds(), true);
  assert.equal(node.trusts(world.database.instance), true);
  assert.deepEqual(
    calls.filter((call) => call !== 'clear'),
    ['reapply', 'replaced', 'reapply'],
  );
});
