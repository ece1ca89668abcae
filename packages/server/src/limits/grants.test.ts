/**
 * Nodes with a model of the database. postgres-grants.test.ts shows that PostgreSQL matches the model, and
 * grants-property.test.ts checks the invariants.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { countPassed, nodeAt, worldWithShares } from '../../../../test/support/grant-world.ts';
import { runCount } from '../../../../test/support/run-count.ts';
import { type LimitWindow, peek } from './sliding-window.ts';

const minute = 60_000;

const network = fc.record({
  delay: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 300 })),
  skew: fc.oneof(fc.constant(0), fc.integer({ min: -100 * minute, max: 100 * minute })),
});

test('a single node never accepts more than one process would, and reports at most a share less', async () => {
  const pauses = fc.oneof(
    fc.constant(0),
    fc.integer({ min: 0, max: 1000 }),
    fc.integer({ min: 0, max: 40_000 }),
    fc.constantFrom(minute - 1, minute, 2 * minute),
  );
  const quotas = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 200 }));
  await fc.assert(
    fc.asyncProperty(quotas, fc.array(pauses, { maxLength: 60, size: 'max' }), async (quota, all) => {
      const world = await worldWithShares({});
      const window: LimitWindow = { minute: 0, current: 0, previous: 0 };
      for (const pause of all) {
        await world.advance(pause);
        const expected = peek(window, 'key', quota, world.database.now);
        const state = await world.until(nodeAt(world, 0).request(quota, () => (window.current += 1)));
        assert.ok(state !== undefined);
        // The rest of its share of the previous minute may still count.
        const least = expected.remaining - Math.floor(quota / 20);
        assert.ok(!state.passed || expected.passed);
        const remaining = state.remaining + Number(state.passed);
        assert.ok(remaining <= expected.remaining && remaining >= least, `${remaining}`);
        if (state.passed) assert.equal(state.resetSeconds, expected.resetSeconds);
        else assert.ok(state.resetSeconds >= expected.resetSeconds);
      }
    }),
    { numRuns: runCount(20, 600) },
  );
});

test('a single node rarely requests grants, and never for a rarely used key', async () => {
  const world = await worldWithShares({});
  const node = nodeAt(world, 0);
  assert.equal(await countPassed(world, 0, 1000, 25), 25);
  assert.equal(node.statements, 0);
  assert.equal(await countPassed(world, 0, 1000, 1100), 975);
  assert.ok(node.statements < 20, `${node.statements} statements`);
});

test('if one of several nodes gets all requests, at least 95 % of the limit passes per minute', async () => {
  for (const quota of [1, 10, 59, 60, 100, 1000]) {
    const world = await worldWithShares({}, {}, {});
    const share = Math.floor(quota / 60);
    const asked = world.until(nodeAt(world, 0).request(quota));
    const unasked = share > 0 ? Math.floor(quota / 20) : 0;
    assert.equal((await asked)?.remaining, quota - unasked + share - 1, 'and the response reports it');
    const passed = 1 + (await countPassed(world, 0, quota, quota + 10));
    assert.equal(passed, quota - unasked + share);
    assert.ok(passed >= 0.95 * quota);
  }
});

test('if all nodes get requests, together they accept the limit', async () => {
  for (const [quota, lost] of [
    [1, 0],
    [10, 0],
    [59, 0],
    [60, 0],
    [1000, 2],
  ] as const) {
    const world = await worldWithShares({}, {}, {});
    let passed = 0;
    for (let i = 0; i < quota + 30; i++) passed += await countPassed(world, i, quota, 1);
    assert.equal(passed, quota - lost);
  }
});

test('of concurrent requests, exactly the allowed number passes, and each gets a result', async () => {
  const delays = fc.array(fc.record({ delay: fc.nat(50) }), { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(delays, fc.integer({ min: 1, max: 19 }), async (nodes, quota) => {
      const world = await worldWithShares(...nodes);
      let passed = 0;
      const asked = Array.from({ length: 100 }, (_, i) =>
        nodeAt(world, i).request(quota, () => (passed += 1)),
      );
      for (const state of await world.until(Promise.all(asked))) assert.ok(state !== undefined);
      assert.equal(passed, quota);
    }),
    { numRuns: runCount(10, 300) },
  );
});

test('a rejected request passes after its Retry-After time', async () => {
  const nodes = fc.array(network, { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(nodes, fc.integer({ min: 1, max: 300 }), fc.nat(59_000), async (all, quota, later) => {
      const world = await worldWithShares(...all);
      await world.advance(later);
      const node = nodeAt(world, 0);
      await world.until(Promise.all(Array.from({ length: quota + 1 }, () => node.request(quota))));
      const state = await world.until(node.request(quota));
      if (state?.passed !== false) return;
      // From now on it is rejected without the database.
      const asked = node.statements;
      assert.deepEqual(await node.request(quota), state);
      assert.equal(node.statements, asked);
      assert.ok(state.resetSeconds >= 1 && state.resetSeconds <= 120);
      await world.advance(state.resetSeconds * 1000);
      assert.equal((await world.until(node.request(quota)))?.passed, true);
    }),
    { numRuns: runCount(20, 600) },
  );
});

test('the unused part of a node is free for all nodes in the next minute', async () => {
  const world = await worldWithShares({}, {});
  assert.equal(await countPassed(world, 0, 1000, 30), 30);
  assert.ok((world.database.windows.get('key')?.current ?? 0) > 200, 'a grant was taken');
  await world.nextMinute();
  await countPassed(world, 0, 1000, 1);
  assert.ok((world.database.windows.get('key')?.previous ?? 0) <= 100);
  assert.ok((await countPassed(world, 1, 1000, 1000)) > 850);
});

test('a grant that arrives after its minute is not used', async () => {
  const world = await worldWithShares({ delay: 200 });
  await world.advance(minute - 250);
  // The database grants within the minute, but the response arrives after it.
  const first = nodeAt(world, 0).request(10);
  await world.advance(450);
  await world.until(first);
  await world.advance(59_000);
  assert.ok((await countPassed(world, 0, 10, 20)) <= 9);
});

test('a node whose clock is slightly ahead does not repeat requests for quota that is not free yet', async () => {
  const world = await worldWithShares({});
  const node = nodeAt(world, 0);
  await countPassed(world, 0, 60, 100);
  await world.nextMinute();
  await world.advance(10_001);
  await countPassed(world, 0, 60, 100);
  const asked = node.statements;
  await world.advance(200);
  node.moveClock(900);
  assert.equal((await world.until(node.request(60)))?.passed, false);
  assert.equal(node.statements, asked + 1);
});

test('without the database, earlier grants are used up, and then verification is unavailable', async () => {
  const world = await worldWithShares({}, {});
  const node = nodeAt(world, 0);
  assert.equal(await countPassed(world, 0, 1000, 20), 20);
  const held = node.keys.ofKey('key').left;
  node.cut();
  let passed = 0;
  const asked = Array.from({ length: held + 10 }, () => node.request(1000, () => (passed += 1)));
  await world.advance(1000);
  const answers = await Promise.all(asked);
  assert.deepEqual([passed, answers.filter((answer) => answer === undefined).length], [held, 10]);
  assert.equal(await node.request(1000), undefined, 'at once');
  node.heal();
  await world.advance(1000);
  assert.equal(node.failures.at(-1), 'recovered');
  assert.equal(await countPassed(world, 0, 1000, 5), 5);
});

test('a node that just joined requests grants for each key, and has its share after a full minute', async () => {
  const world = await worldWithShares({});
  await world.advance(45_000);
  const joined = await world.join();
  for (const asks of [true, true, false]) {
    let passed = false;
    void joined.request(1000, () => {
      passed = true;
    });
    assert.equal(passed, !asks);
    await world.nextMinute();
    assert.equal(passed, true);
  }
});

test('a node that was removed and registers again has no share of a minute that already began', async () => {
  const world = await worldWithShares({}, {});
  const node = nodeAt(world, 1);
  node.cut();
  await world.advance(3000);
  node.heal();
  await world.advance(1000);
  assert.equal(await countPassed(world, 1, 1000, 1), 1);
  assert.ok(node.statements > 0);
});

test('setting the database clock back frees nothing, and locks no key out for more than two minutes', async () => {
  for (const back of [1000, 10_000, minute, 100 * minute]) {
    const world = await worldWithShares({}, {});
    await countPassed(world, 0, 10, 20);
    world.database.now -= back;
    // The nodes learn of it from the next reading.
    for (const node of world.nodes) node.moveClock(0);
    assert.equal(await countPassed(world, 0, 10, 5), 0);
    await world.advance(10_000);
    await countPassed(world, 0, 10, 1);
    await world.advance(2 * minute);
    assert.equal(await countPassed(world, 0, 10, 1), 1, `${back}`);
  }
});

test('a node whose own clock is changed is correct again after the next reading', async () => {
  for (const ms of [-10 * minute, -minute, minute, 10 * minute]) {
    const world = await worldWithShares({}, {});
    const node = nodeAt(world, 0);
    await countPassed(world, 0, 100, 10);
    node.moveClock(ms);
    await world.advance(10_000);
    assert.equal(node.minute, Math.floor(world.database.now / minute));
    const asked = world.until(node.request(100));
    assert.equal((await asked)?.passed, true);
    let more = 0;
    for (let i = 0; i < 2; i++) more += await countPassed(world, i, 100, 120);
    assert.ok(more + 11 <= 105, `${more}`);
  }
});
