import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { machine } from '../../bench/machine.ts';
import { type Counts, quantile } from './counts.ts';
import { recoveryMs, type TortureResult } from './run.ts';

/** Minimum number of operations of a run that is stored. */
export const minProofOperations = 300_000;

const file = fileURLToPath(new URL('../../docs/revocation-proof.md', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Proof extends TortureResult {
  seed: number;
}

const head = [
  'fault',
  'operations',
  'accepted',
  'rejected',
  '503',
  'no response',
  'created',
  'renamed',
  'revoked',
  'p50 ms',
  'p99 ms',
  'max ms',
  'max ms at an affected node',
  'recovered after ms',
  'violations',
];

/** The results for each fault, as a Markdown table. */
export function table({ byFault, total }: Proof): string {
  const rows = [
    head,
    head.map((_, i) => (i === 0 ? '---' : '---:')),
    ...Array.from(byFault, ([{ title }, counts]) => row(title, counts)),
    row('**All**', total),
  ];
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function row(title: string, counts: Counts): string[] {
  const { operations, accepted, rejected, unavailable, noResponse, created, renamed, revokes } = counts;
  const of = (values: readonly number[], share: number) => quantile(values, share)?.toFixed(0) ?? '';
  return [
    title,
    ...[operations, accepted, rejected, unavailable, noResponse, created, renamed, revokes].map(
      formatInteger,
    ),
    ...[0.5, 0.99, 1].map((share) => of(counts.revokeMs, share)),
    of(counts.affectedRevokeMs, 1),
    of(counts.recoveryMs, 1),
    formatInteger(counts.violations),
  ];
}

function formatInteger(number: number): string {
  return number.toLocaleString('en');
}

export function writeProof(proof: Proof): void {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--', 'packages') === '' ? '' : ', with changes';
  const commit = `${git('rev-parse', '--short=10', 'HEAD')}${changed}`;
  writeFileSync(file, page(proof, commit, new Date().toISOString().slice(0, 10)));
}

function page(proof: Proof, commit: string, date: string): string {
  const { total, ms, seed } = proof;
  return `# Proof of revocation

Written by \`npm run torture\`, on ${date}, at commit ${commit}, on ${machine}.

${formatInteger(total.operations)} operations in ${Math.round(ms / 1000)} s against three real nodes (\`npm start\`'s process) that share one real PostgreSQL, each with its own TCP proxy in front of the database, under one fault after another: **${formatInteger(total.violations)} violations**.

Clients continuously verify keys at all nodes, over keep-alive connections with several concurrent requests each: mostly keys that are being revoked or were revoked recently. Other clients create, rename and revoke keys: at one node, at two nodes at once, during a rename, and repeatedly. As soon as a revoke returns, the key is verified at every node; a frozen node handles that request when it resumes. All times are taken with one monotonic clock, before a request is written and after its response is read. PostgreSQL runs without fsync here: its processes are killed, but the machine is not, so this run does not cover a power failure. Faults occur one at a time, and there is no standby; the simulation covers both.

## The rules

A violation is any of the following:

- a verification accepts a key although it was sent after a revoke of that key returned 200;
- a key is rejected as unknown or revoked after its creation returned and before its first revoke is sent;
- a revoked key is rejected with another code than \`revoked_key\`;
- a request gets no verification result: 503 \`verification_unavailable\` and broken connections are allowed only at an affected node, from the start of the fault until ${(recoveryMs / 1000).toFixed(1)} s after its end (a lease, its margin, and the delay of a busy machine). While a node fails, creations and renames may fail in the same way at the others, because they lock the workspace and the node may have been stopped in the middle of one;
- a node does not recover by itself within that time after the end of a fault.

A revoke that failed, or whose response was lost, guarantees nothing: it is sent again until one returns 200.

## Results

${table(proof)}

Latencies are those of revokes that returned 200, from request to response, on a machine that this run keeps busy; \`npm run bench\` has those of an idle one. A revoke waits for the other nodes, and at most for a lease (2 s) and its margin (0.2 s) after its commit; longer ones waited for the database, or were sent to a node that was itself frozen. Each operation counts for the phase in which its response arrived.

## Repeat the run

\`\`\`sh
npm run torture -- --seed ${seed}
\`\`\`

A seed repeats the choices, not their timing. \`--fault NAME\` and \`--seconds N\` limit the run; \`npm test\` runs two of the faults, and \`npm run test:long\` all of them. A separate simulation runs the protocol through other schedules.
`;
}
