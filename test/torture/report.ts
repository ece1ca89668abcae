import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { machine } from '../../bench/machine.ts';
import { type Counts, quantile } from './counts.ts';
import { type Outcome, recoveryMs } from './run.ts';

/** Operations of a run that is kept. */
export const leastProof = 300_000;

const file = fileURLToPath(new URL('../../docs/revocation-proof.md', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Proof extends Outcome {
  seed: number;
}

const head = [
  'fault',
  'operations',
  'accepted',
  'refused',
  '503',
  'no answer',
  'created',
  'renamed',
  'revoked',
  'p50 ms',
  'p99 ms',
  'max ms',
  'max ms at a node concerned',
  'well again after ms',
  'violations',
];

/** What happened during each fault, in Markdown. */
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
  const { operations, accepted, refused, unavailable, unanswered, created, renamed, revokes } = counts;
  const of = (values: readonly number[], share: number) => quantile(values, share)?.toFixed(0) ?? '';
  return [
    title,
    ...[operations, accepted, refused, unavailable, unanswered, created, renamed, revokes].map(whole),
    ...[0.5, 0.99, 1].map((share) => of(counts.revokeMs, share)),
    of(counts.troubledRevokeMs, 1),
    of(counts.recoveryMs, 1),
    whole(counts.violations),
  ];
}

function whole(number: number): string {
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
  return `# Proof of the revocation

Written by \`npm run torture\`, on ${date}, at commit ${commit}, on ${machine}.

${whole(total.operations)} operations in ${Math.round(ms / 1000)} s against three real nodes (\`npm start\`'s process) that share one real PostgreSQL, each with a TCP proxy of its own before the database, while one thing after the other was made to fail: **${whole(total.violations)} violations**.

Clients verify keys at all nodes all the time, over connections that stay open and with several requests under way on each: mostly keys that are being revoked at that moment, or were lately. Others make keys, rename them and revoke them: at one node, at two nodes at once, beside a rename, and again afterwards. The moment a revoke is answered, every node is asked about the key; a node that stands still finds the question when it wakes up. All times are taken with one monotonic clock, before a request is written and after its answer was read. PostgreSQL runs without fsync here: its processes are killed, the machine is not, so this tells nothing of a power cut. Faults come one at a time, and there is no standby; the simulation has both.

## The rules

It is a violation when

- a verification accepts a key and was sent after any revoke of that key was answered with 200;
- a key is refused as unknown or revoked between the answer to its creation and the sending of its first revoke;
- a key that was revoked is refused for another reason than \`revoked_key\`;
- anything else comes back than a verdict: 503 \`verification_unavailable\` may be answered, and a connection may break, only at a node that the fault concerns, from its beginning until ${(recoveryMs / 1000).toFixed(1)} s after its end (a lease, its margin, and what a busy machine takes). While a node fails, creations and renames may fail so at the others, too: the workspace is locked for them, and the node may have been stopped in the midst of one;
- a node does not serve again by itself within that time after the end of a fault.

A revoke that failed, or whose answer was lost, has promised nothing: it is sent again until one is answered.

## What happened

${table(proof)}

Latencies are those of revokes that were answered with 200, from sending to answer, on a machine that is kept busy by this run; \`npm run bench\` has those of an idle one. A revoke waits for the other nodes, and at most for a lease (2 s) and its margin (0.2 s) after its commit; whatever takes longer waited for the database, or was sent to a node that itself stood still. Everything counts for the phase in which it was answered.

## Repeat it

\`\`\`sh
npm run torture -- --seed ${seed}
\`\`\`

A seed repeats the choices, not the moments at which they meet. \`--fault NAME\` and \`--seconds N\` run a part of it; \`npm test\` runs each fault once. The protocol itself is run through other schedules by a simulation beside it.
`;
}
