import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../support/random.ts';
import { runCount } from '../support/run-count.ts';
import { runRotations } from './rotation-run.ts';

/** Number of rotations of each kind. The longest run (npm run rotations) has 1,000. */
const count = runCount(2, 200);

test('during rotations on three nodes, the new secret is accepted at once, and the old one exactly until its end', async (t) => {
  const random = new Random(process.env.SOKU_TORTURE_SEED);
  t.diagnostic(`SOKU_TORTURE_SEED=${random.seed}`);
  const { results, counts } = await runRotations({
    ...{ random, count, keys: runCount(1, 10), verifiers: 1, thinkMs: 20 },
    progress: () => undefined,
  });
  assert.deepEqual(counts.examples, []);
  for (const { done } of results.values()) assert.equal(done, count);
});
