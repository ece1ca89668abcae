import { formatInteger, markdownTable, origin, quantiles, writePage } from './proof-page.ts';
import { clockToleranceMs } from './restrictions.ts';
import { titleOf } from './rotation.ts';
import { firstUseBoundMs, type RotationProof } from './rotation-run.ts';

const columns = [
  'keys that were',
  'rotations',
  'p50 ms',
  'p99 ms',
  'max ms',
  'old secret accepted after its end, max ms',
];

/** The results for each kind of rotation, as a Markdown table. */
export function rotationTable({ results, counts }: RotationProof): string {
  const rows = Array.from(results, ([rotation, { done, overshootMs }]) => {
    const title = titleOf(rotation);
    const durations = counts.changeMs.get(title) ?? [];
    return [title, formatInteger(done), ...quantiles(durations), overshootMs.toFixed(0)];
  });
  return markdownTable(columns, rows);
}

export function writeRotationProof(proof: RotationProof, seed: number): void {
  const { counts, ms } = proof;
  writePage(
    'rotation-proof.md',
    `# Proof of rotation

Written by \`npm run rotations\`, ${origin()}.

${formatInteger(counts.changes)} rotations and ${formatInteger(counts.accepted + counts.rejected)} verifications in ${Math.round(ms / 1000)} s on three real nodes that share one real PostgreSQL: **${formatInteger(counts.violations)} violations**.

Clients use the newest secret of each key and the one before it on all nodes, all the time. As soon as a rotation returns, both are verified at every node. Around the end of an old secret, every node verifies it again and again until it is rejected. The [torture test](revocation-proof.md) rotates keys too, among other changes and under faults.

## The rules

A violation is any of the following:

- a request with the new secret is rejected, from the moment the rotation returned;
- an old secret is rejected before its end, or accepted after it: without a grace, once the rotation returned; with a grace, by the clock of the verifying node (tolerance: ${clockToleranceMs} ms); with a grace from the first use, within ${firstUseBoundMs / 1000} s of that use, or when the grace is over if that is later;
- a rotation reports another end of an old secret, or ends it later than an earlier rotation did;
- any other response than the result of the verification.

## Results

${rotationTable(proof)}

The durations are those of the rotations, from request to response, on a machine that this run keeps busy. The last column counts from the end that the rotation reported, or from the response to the first use and the grace of 1 s.

## Repeat the run

\`\`\`sh
npm run rotations -- --seed ${seed}
\`\`\`

A seed repeats the choices, not their timing.
`,
  );
}
