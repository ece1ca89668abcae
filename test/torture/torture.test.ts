import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../support/random.ts';
import { runCount } from '../support/run-count.ts';
import { faults } from './faults.ts';
import { torture } from './run.ts';

/** Minimum number of operations over all faults. The longest run (npm run torture) has at least 300,000. */
const minOperations = runCount(500, 20_000);
/** Each fault runs once; in a usual run, only two of them, at random. */
const faultCount = runCount(2, faults.length);

test('on three nodes with faults, every revoke and every change of a policy is in effect on all nodes when it returns', async (t) => {
  const random = new Random(process.env.SOKU_TORTURE_SEED);
  t.diagnostic(`SOKU_TORTURE_SEED=${random.seed}`);
  const { total, byFault } = await torture({
    random,
    faults: shuffled(faults, random).slice(0, faultCount),
    load: {
      connections: 2,
      pipelined: 2,
      thinkMs: runCount(20, 5),
      revokers: 4,
      revokePeriodMs: 150,
      activeKeys: 80,
      changers: 3,
      changePeriodMs: 150,
    },
    stretch: 1,
    lingerMs: 0,
    isEnough: (operations) => operations >= minOperations,
    progress: (fault, { operations, revokes, recoveryMs: recovery }) =>
      t.diagnostic(
        `${fault.name}: ${operations} operations, ${revokes} revokes, recovered after ${Math.round(recovery[0] ?? 0)} ms`,
      ),
  });
  // A node that gets no CPU for longer than a lease fails without a fault, too. It must not do so often: only the first
  // violations are listed. The longest run allows none.
  assert.deepEqual(
    total.examples.filter((example) => !example.includes('verification_unavailable')),
    [],
  );
  assert.equal(total.violations, total.examples.length, total.examples[0]);
  // The result is meaningful only if every phase had relevant traffic.
  assert.ok(total.changes > 0, 'no change of a policy returned');
  for (const [fault, { accepted, revokesSent }] of byFault) {
    assert.ok(accepted > 0, `no key was accepted during ${fault.name}`);
    assert.ok(revokesSent > 0, `no revoke was sent during ${fault.name}`);
  }
});

function shuffled<T>(values: readonly T[], random: Random): T[] {
  return values
    .map((value) => ({ value, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}
