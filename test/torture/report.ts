import type { Counts } from './counts.ts';
import { formatInteger, formatQuantile, markdownTable, origin, quantiles, writePage } from './proof-page.ts';
import { clockToleranceMs } from './restrictions.ts';
import { recoveryMs, type TortureResult } from './run.ts';

/** Minimum number of operations of a run that is stored. */
export const minProofOperations = 300_000;

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
  'changed',
  'revoked',
  'p50 ms',
  'p99 ms',
  'max ms',
  'max ms at an affected node',
  'recovered after ms',
  'violations',
];

/** The results for each fault, as a Markdown table. */
export function table({ byFault, total }: TortureResult): string {
  return markdownTable(head, [
    ...Array.from(byFault, ([{ title }, counts]) => row(title, counts)),
    row('**All**', total),
  ]);
}

/** The changes of policies and the rotations, as a Markdown table. */
export function changesTable({ changeMs }: Counts): string {
  const rows = Array.from(changeMs, ([kind, durations]) => [
    kind,
    formatInteger(durations.length),
    ...quantiles(durations),
  ]);
  return markdownTable(['change', 'returned', 'p50 ms', 'p99 ms', 'max ms'], rows);
}

function row(title: string, counts: Counts): string[] {
  const { operations, accepted, rejected, unavailable, noResponse, created, renamed, changes, revokes } =
    counts;
  return [
    title,
    ...[operations, accepted, rejected, unavailable, noResponse, created, renamed, changes, revokes].map(
      formatInteger,
    ),
    ...quantiles(counts.revokeMs),
    formatQuantile(counts.affectedRevokeMs, 1),
    formatQuantile(counts.recoveryMs, 1),
    formatInteger(counts.violations),
  ];
}

export function writeProof(proof: Proof): void {
  writePage('revocation-proof.md', page(proof));
}

function page(proof: Proof): string {
  const { total, ms, seed } = proof;
  return `# Proof of revocation

Written by \`npm run torture\`, ${origin()}.

${formatInteger(total.operations)} operations in ${Math.round(ms / 1000)} s against three real nodes (\`npm start\`'s process) that share one real PostgreSQL, each with its own TCP proxy in front of the database, under one fault after another: **${formatInteger(total.violations)} violations**.

Clients continuously verify keys at all nodes, over keep-alive connections with several concurrent requests each: mostly keys that are being revoked or changed, or were revoked recently. They verify as a proxy does, and as a back end that passes on the address of its client, and require scopes. Other clients create, rename, rotate and revoke keys, disable and enable them, change their scopes, allowed addresses and expiry, and retire older secrets: at one node, at two nodes at once, two fields at once, during a revoke, and repeatedly. As soon as a revoke or a change returns, the key is verified at every node in a way that the change affects; a frozen node handles that request when it resumes. All times are taken with one monotonic clock, before a request is written and after its response is read. PostgreSQL runs without fsync here: its processes are killed, but the machine is not, so this run does not cover a power failure. Faults occur one at a time, and there is no standby; the simulation covers both.

## The rules

A violation is any of the following:

- a verification accepts a key although it was sent after a revoke of that key returned 200, or after a change that took this use away returned 200 and before a change that allows it was sent;
- a key is rejected as revoked, expired, disabled, from a wrong address or without a scope after its creation, or a change that allows the use, returned, and before a revoke or a change that takes it away is sent;
- a key is rejected although no restriction is in effect that has the code of the rejection, or although one that comes earlier in the order of the contract is: a revoked key is always rejected with \`revoked_key\`;
- an expiry, or the end of a grace after a rotation, is applied more than ${clockToleranceMs} ms too early or too late by the clock of the verifying node;
- a rotation reports another end of an older secret than its own, or an end that is later than that of an earlier rotation;
- a secret is rejected although it is the newest of its key, or is accepted although it was sent after a rotation that retires it at once, or its retirement, returned ([rotations](rotation-proof.md) has more of these);
- a request gets no verification result: 503 \`verification_unavailable\` and broken connections are allowed only at an affected node, from the start of the fault until ${(recoveryMs / 1000).toFixed(1)} s after its end (a lease, its margin, and the delay of a busy machine). While a node fails, creations and changes may fail in the same way at the others, because they lock rows and the node may have been stopped in the middle of one;
- a node does not recover by itself within that time after the end of a fault.

A revoke or a change that failed, or whose response was lost, guarantees nothing: it is sent again until one returns 200. A key with such a change is not changed again, because the first one could still take effect.

## Results

${table(proof)}

${changesTable(total)}

Latencies are those of revokes and changes that returned 200, from request to response, on a machine that this run keeps busy; \`npm run bench\` has those of an idle one. A revoke or a change waits for the other nodes, and at most for a lease (2 s) and its margin (0.2 s) after its commit; longer ones waited for the database, or were sent to a node that was itself frozen. Each operation counts for the phase in which its response arrived.

## Repeat the run

\`\`\`sh
npm run torture -- --seed ${seed}
\`\`\`

A seed repeats the choices, not their timing. \`--fault NAME\` and \`--seconds N\` limit the run; \`npm test\` runs two of the faults, and \`npm run test:long\` all of them. A separate simulation runs the protocol through other schedules.
`;
}
