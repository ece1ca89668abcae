import type { VerificationResult } from '../../packages/server/src/verification/result.ts';

/** What the clients of one schedule may see. */
export class Checker {
  /** What went wrong first. */
  violation: string | undefined;
  /** For a look whether the schedules are worth anything. */
  readonly seen = { accepted: 0, refused: 0, unavailable: 0, revokes: 0 };
  /** Orders what is invoked and what returns, also when it is at the same time. */
  #order = 0;
  /** By key: the first revoke was invoked, and the first one returned. */
  readonly #invoked = new Set<string>();
  readonly #dead = new Map<string, number>();
  readonly #calm: boolean;

  /** @param calm whether nothing goes wrong in this schedule */
  constructor(calm: boolean) {
    this.#calm = calm;
  }

  /** @returns what is to be given back with the result */
  invoke(): number {
    this.#order += 1;
    return this.#order;
  }

  verified(key: string, invoked: number, { refusal }: VerificationResult, who: string): void {
    if (refusal === undefined) {
      this.seen.accepted += 1;
      const dead = this.#dead.get(key);
      if (dead !== undefined && invoked > dead)
        this.fail(`${who} accepted ${key} after a revoke had returned`);
      return;
    }
    const unavailable = refusal.code === 'verification_unavailable';
    this.seen[unavailable ? 'unavailable' : 'refused'] += 1;
    if (this.#invoked.has(key)) return;
    if (this.#calm || !unavailable)
      this.fail(`${who} refused ${key}: ${refusal.code}, and nobody had revoked it`);
  }

  revoking(key: string): void {
    this.#invoked.add(key);
  }

  revoked(key: string): void {
    this.seen.revokes += 1;
    if (!this.#dead.has(key)) this.#dead.set(key, this.invoke());
  }

  fail(what: string): void {
    this.violation ??= what;
  }
}
