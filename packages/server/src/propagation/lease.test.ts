import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lease } from './lease.ts';

const wallAtStart = 1_700_000_000_000;

/** A lease of 2 s with a margin of 0.2 s, and clocks to be moved. */
function newLease() {
  const now = { monotonic: 5000, wall: wallAtStart };
  const clock = { monotonic: () => now.monotonic, wall: () => now.wall };
  const lease = new Lease(clock, { leaseMs: 2000, marginMs: 200 });
  /** Moves both clocks, the wall clock by more or less. */
  const pass = (ms: number, wallMs = ms) => {
    now.monotonic += ms;
    now.wall += wallMs;
  };
  return { lease, now, pass, holds: () => lease.holds(now.wall) };
}

test('there is no lease before one is granted', () => {
  const { lease, holds } = newLease();
  assert.deepEqual([holds(), lease.remaining()], [false, 0]);
});

test('a lease lasts from the sending for its length less the margin', () => {
  const { lease, now, pass, holds } = newLease();
  const sent = { ...now };
  pass(300);
  lease.grant(sent);
  assert.deepEqual([holds(), lease.remaining()], [true, 1500]);
  pass(1499);
  assert.deepEqual([holds(), lease.remaining()], [true, 1]);
  pass(1);
  assert.deepEqual([holds(), lease.remaining()], [false, 0]);
});

test('a lease that is dropped is over, until another one is granted', () => {
  const { lease, now, holds } = newLease();
  lease.grant({ ...now });
  lease.drop();
  assert.deepEqual([holds(), lease.remaining()], [false, 0]);
  lease.grant({ ...now });
  assert.equal(holds(), true);
});

test('a lease is lost when the wall clock tells that the machine was suspended', () => {
  const { lease, now, pass, holds } = newLease();
  lease.grant({ ...now });
  pass(0, 200);
  assert.equal(holds(), true, 'within the margin');
  pass(0, 1);
  assert.deepEqual([holds(), lease.remaining()], [false, 0]);
  lease.grant({ ...now });
  assert.equal(holds(), true, 'the next one counts from the clocks as they are then');
});

test('a lease is lost when the wall clock was set back, because the fuse would be blind then', () => {
  const { lease, now, pass, holds } = newLease();
  lease.grant({ ...now });
  pass(0, -201);
  assert.equal(holds(), false);
});
