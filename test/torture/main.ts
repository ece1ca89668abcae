/**
 * Runs the torture test on three nodes for a given time, because a short test rarely hits rare faults. A full run
 * writes its results to docs/revocation-proof.md.
 */
import { parseArgs } from 'node:util';
import { Random } from '../support/random.ts';
import type { Counts } from './counts.ts';
import { type Fault, faults } from './faults.ts';
import { changesTable, minProofOperations, type Proof, table, writeProof } from './report.ts';
import { recoveryMs, torture } from './run.ts';

const usage = `npm run torture -- [--operations N | --seconds N] [--fault NAME] [--seed N]
  --operations  minimum number of operations; default ${minProofOperations}
  --seconds     minimum duration, instead of --operations
  --fault       run only this fault, one of: ${faults.map(({ name }) => name).join(', ')}
  --seed        repeats the choices of a run, but not their timing
A run of all faults with at least ${minProofOperations} operations writes docs/revocation-proof.md.`;

const { values } = parseArgs({
  options: {
    operations: { type: 'string', default: String(minProofOperations) },
    seconds: { type: 'string' },
    fault: { type: 'string' },
    seed: { type: 'string' },
    help: { type: 'boolean' },
  },
});
const operations = Number(values.operations);
const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
const chosen = values.fault === undefined ? faults : faults.filter(({ name }) => name === values.fault);

if (values.help) {
  console.log(usage);
} else if (!(operations > 0) || !((seconds ?? 1) > 0) || chosen.length === 0) {
  console.error(usage);
  process.exitCode = 1;
} else {
  const random = new Random(values.seed);
  console.error(`Seed ${random.seed}`);
  const outcome = await torture({
    random,
    faults: chosen,
    load: {
      connections: 2,
      pipelined: 3,
      thinkMs: 3,
      revokers: 6,
      revokePeriodMs: 150,
      activeKeys: 200,
      changers: 6,
      changePeriodMs: 150,
    },
    stretch: 2,
    recoveryMs,
    lingerMs: 500,
    isEnough: (done, ms) => (seconds === undefined ? done >= operations : ms >= seconds * 1000),
    progress,
  });
  const proof: Proof = { ...outcome, seed: random.seed };
  if (chosen === faults && outcome.total.operations >= minProofOperations) writeProof(proof);
  console.log(`${table(proof)}\n\n${changesTable(proof.total)}`);
  if (outcome.total.violations > 0) {
    console.log(`\n${outcome.total.examples.join('\n')}`);
    process.exitCode = 1;
  }
}

function progress(
  { name }: Fault,
  { operations: done, revokes, changes, violations, examples }: Counts,
): void {
  const suffix = violations === 0 ? '' : `, ${violations} VIOLATIONS`;
  console.error(`${name.padEnd(20)} ${done} operations, ${revokes} revokes, ${changes} changes${suffix}`);
  for (const example of examples) console.error(`  ${example}`);
}
