import type { VerificationResult } from '../../packages/server/src/verification/result.ts';

/** Checks the results that the clients of one schedule receive. */
export class Checker {
  /** The first violation. */
  violation: string | undefined;
  /** Statistics that show whether the schedules are meaningful. */
  readonly seen = { accepted: 0, rejected: 0, unavailable: 0, revokes: 0 };
  /** Orders invocations and returns, including simultaneous ones. */
  #order = 0;
  /** Keys whose revoke was invoked, and for each key the order of its first revoke that returned. */
  readonly #invoked = new Set<string>();
  readonly #revoked = new Map<string, number>();
  readonly #calm: boolean;

  /** @param calm whether this schedule has no faults */
  constructor(calm: boolean) {
    this.#calm = calm;
  }

  /** @returns a number to pass to `verified` with the result */
  invoke(): number {
    this.#order += 1;
    return this.#order;
  }

  verified(key: string, invoked: number, { problem }: VerificationResult, node: string): void {
    if (problem === undefined) {
      this.seen.accepted += 1;
      const revoked = this.#revoked.get(key);
      if (revoked !== undefined && invoked > revoked)
        this.fail(`${node} accepted ${key} after a revoke had returned`);
      return;
    }
    const unavailable = problem.code === 'verification_unavailable';
    this.seen[unavailable ? 'unavailable' : 'rejected'] += 1;
    if (this.#invoked.has(key)) return;
    if (this.#calm || !unavailable)
      this.fail(`${node} rejected ${key} with ${problem.code}, although it was not revoked`);
  }

  revoking(key: string): void {
    this.#invoked.add(key);
  }

  revoked(key: string): void {
    this.seen.revokes += 1;
    if (!this.#revoked.has(key)) this.#revoked.set(key, this.invoke());
  }

  fail(violation: string): void {
    this.violation ??= violation;
  }
}
