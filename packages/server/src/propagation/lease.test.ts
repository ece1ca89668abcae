import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lease } from './lease.ts';

const wallAtStart = 1_700_000_000_000;

/** A lease of 2 s with a margin of 0.2 s, and clocks that the test moves. */
function newLease() {
  const now = { monotonic: 5000, wall: wallAtStart };
  const clock = { monotonic: () => now.monotonic, wall: () => now.wall };
  const lease = new Lease(clock, { leaseMs: 2000, marginMs: 200 });
  /** Moves both clocks, optionally the wall clock by a different amount. */
  const pass = (ms: number, wallMs = ms) => {
    now.monotonic += ms;
    now.wall += wallMs;
  };
  return { lease, now, pass, holds: () => lease.holds(now.wall) };
}

test('no lease is held before one is granted', () => {
  const { lease, holds } = newLease();
  assert.deepEqual([holds(), lease.remainingMs()], [false, 0]);
});

test('a lease lasts from the sending of the renewal, for its length minus the margin', () => {
  const { lease, now, pass, holds } = newLease();
  const sent = { ...now };
  pass(300);
  lease.grant(sent);
  assert.deepEqual([holds(), lease.remainingMs()], [true, 1500]);
  pass(1499);
  assert.deepEqual([holds(), lease.remainingMs()], [true, 1]);
  pass(1);
  assert.deepEqual([holds(), lease.remainingMs()], [false, 0]);
});

test('a dropped lease has ended until another is granted', () => {
  const { lease, now, holds } = newLease();
  lease.grant({ ...now });
  lease.drop();
  assert.deepEqual([holds(), lease.remainingMs()], [false, 0]);
  lease.grant({ ...now });
  assert.equal(holds(), true);
});

test('a lease is lost when the wall clock shows that the machine was suspended', () => {
  const { lease, now, pass, holds } = newLease();
  lease.grant({ ...now });
  pass(0, 200);
  assert.equal(holds(), true, 'within the margin');
  pass(0, 1);
  assert.deepEqual([holds(), lease.remainingMs()], [false, 0]);
  lease.grant({ ...now });
  assert.equal(holds(), true, 'the next lease uses the current clocks');
});

test('a lease is lost when the wall clock is set back, because the safeguard could no longer detect a suspension', () => {
  const { lease, now, pass, holds } = newLease();
  lease.grant({ ...now });
  pass(0, -201);
  assert.equal(holds(), false);
});
