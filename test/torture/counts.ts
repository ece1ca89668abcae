/** Maximum number of violations that are stored as text. */
const maxViolations = 20;

/** Statistics of the requests during one fault. */
export class Counts {
  /** Requests with a response or a broken connection. */
  operations = 0;
  accepted = 0;
  rejected = 0;
  /** Responses 503 verification_unavailable. */
  unavailable = 0;
  /** Connections that broke or could not be opened. */
  noResponse = 0;
  created = 0;
  renamed = 0;
  revokesSent = 0;
  /** Durations in ms of successful changes of policies and rotations, by kind. */
  readonly changeMs = new Map<string, number[]>();
  /** Durations in ms of successful revokes at nodes that the fault does not affect. */
  readonly revokeMs: number[] = [];
  /** The same for affected nodes, which may themselves have been stopped. */
  readonly affectedRevokeMs: number[] = [];
  /** ms from the end of each fault until all nodes had recovered. */
  readonly recoveryMs: number[] = [];
  violations = 0;
  readonly examples: string[] = [];

  /** @param outcome of a verification */
  verified(outcome: string): void {
    this.operations += 1;
    if (outcome === 'accepted') this.accepted += 1;
    else if (outcome === 'verification_unavailable') this.unavailable += 1;
    else if (outcome === 'no response') this.noResponse += 1;
    else this.rejected += 1;
  }

  changed(kind: string, ms: number): void {
    const durations = this.changeMs.get(kind);
    if (durations === undefined) this.changeMs.set(kind, [ms]);
    else durations.push(ms);
  }

  /** Number of successful changes of policies and rotations. */
  get changes(): number {
    return [...this.changeMs.values()].flat().length;
  }

  addViolation(description: string): void {
    this.violations += 1;
    if (this.examples.length < maxViolations) this.examples.push(description);
  }

  /** @param affected whether the fault affects the node */
  revoked(ms: number, affected: boolean): void {
    (affected ? this.affectedRevokeMs : this.revokeMs).push(ms);
  }

  get revokes(): number {
    return this.revokeMs.length + this.affectedRevokeMs.length;
  }

  add(other: Counts): void {
    this.operations += other.operations;
    this.accepted += other.accepted;
    this.rejected += other.rejected;
    this.unavailable += other.unavailable;
    this.noResponse += other.noResponse;
    this.created += other.created;
    this.renamed += other.renamed;
    this.revokesSent += other.revokesSent;
    for (const [kind, durations] of other.changeMs) for (const ms of durations) this.changed(kind, ms);
    for (const ms of other.revokeMs) this.revokeMs.push(ms);
    for (const ms of other.affectedRevokeMs) this.affectedRevokeMs.push(ms);
    for (const ms of other.recoveryMs) this.recoveryMs.push(ms);
    this.violations += other.violations;
    for (const example of other.examples)
      if (this.examples.length < maxViolations) this.examples.push(example);
  }
}

/** The quantile of the values by nearest rank; undefined without values. */
export function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
