/**
 * Rotates keys 1,000 times in each way on three nodes under load, because a rotation that interrupts its users, or leaves
 * an old secret valid, does so rarely. A full run writes its results to docs/rotation-proof.md.
 */
import { parseArgs } from 'node:util';
import { Random } from '../support/random.ts';
import { rotationTable, writeRotationProof } from './rotation-report.ts';
import { runRotations } from './rotation-run.ts';

/** Number of rotations of each kind of a run that is stored. */
const proofCount = 1000;

const usage = `npm run rotations -- [--count N] [--seed N]
  --count  number of rotations of each kind; default ${proofCount}
  --seed   repeats the choices of a run, but not their timing
A run with at least ${proofCount} writes docs/rotation-proof.md.`;

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: String(proofCount) },
    seed: { type: 'string' },
    help: { type: 'boolean' },
  },
});
const count = Number(values.count);

if (values.help) {
  console.log(usage);
} else if (!(count > 0)) {
  console.error(usage);
  process.exitCode = 1;
} else {
  const random = new Random(values.seed);
  console.error(`Seed ${random.seed}`);
  const proof = await runRotations({
    ...{ random, count, keys: 8, verifiers: 4, thinkMs: 5 },
    progress: (done) => console.error(`${done} rotations`),
  });
  const { violations, examples } = proof.counts;
  if (count >= proofCount) writeRotationProof(proof, random.seed);
  console.log(rotationTable(proof));
  if (violations > 0) {
    console.log(`\n${violations} violations\n${examples.join('\n')}`);
    process.exitCode = 1;
  }
}
