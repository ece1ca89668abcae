/** The history of a key, as its clients observed it, and the rules that it must not violate. */

/** Outcomes of a node that cannot work: allowed only during an outage. */
export const failures: ReadonlySet<string> = new Set(['verification_unavailable', 'no response']);

/** One verification. Times are ms of one monotonic clock, taken before the request and after the response. */
export interface Use {
  sentAt: number;
  receivedAt: number;
  /** 'accepted', an error code, or 'no response' when the connection broke. */
  outcome: string;
}

/** The period in which a node, or something that it depends on, fails. */
export class Outage {
  #from = Number.POSITIVE_INFINITY;
  #until = Number.NEGATIVE_INFINITY;

  begin(at: number): void {
    // Consecutive outages are merged: a request sent in the first may get its response in the second.
    if (at > this.#until) this.#from = at;
    this.#until = Number.POSITIVE_INFINITY;
  }

  /** @param until ms at which the node must have recovered */
  end(until: number): void {
    this.#until = until;
  }

  /** Whether a request from `sentAt` to `receivedAt` overlaps the outage. */
  excuses({ sentAt, receivedAt }: Pick<Use, 'sentAt' | 'receivedAt'>): boolean {
    return sentAt <= this.#until && receivedAt >= this.#from;
  }
}

/**
 * The history of one key. Events must be reported as they happen, for all keys in one process, so that three times
 * suffice for any number of verifications.
 */
export class KeyHistory {
  readonly #createdAt: number;
  /** The first of several revokes. */
  #revokeSentAt = Number.POSITIVE_INFINITY;
  #revokedAt = Number.POSITIVE_INFINITY;

  /** @param createdAt ms at which its creation returned */
  constructor(createdAt: number) {
    this.#createdAt = createdAt;
  }

  /** Call this before a revoke is sent. Its outcome may remain unknown. */
  revokeSent(at: number): void {
    this.#revokeSentAt = Math.min(this.#revokeSentAt, at);
  }

  /** Call this when a revoke returned 200: from now on no node may accept the key. */
  revoked(at: number): void {
    this.#revokedAt = Math.min(this.#revokedAt, at);
  }

  /**
   * @param outage of the verifying node
   * @returns the rule that a verification violates, or null
   */
  check(use: Use, outage: Outage): string | null {
    const { sentAt, receivedAt, outcome } = use;
    const late = sentAt - this.#revokedAt;
    if (outcome === 'accepted') {
      return late > 0 ? `accepted, sent ${late.toFixed(3)} ms after a revoke returned` : null;
    }
    if (failures.has(outcome)) return outage.excuses(use) ? null : `${outcome} without an outage`;
    if (outcome !== 'revoked_key' && outcome !== 'unknown_key') return `unexpected result ${outcome}`;
    if (sentAt >= this.#createdAt && receivedAt <= this.#revokeSentAt) return `${outcome} while active`;
    if (late > 0 && outcome !== 'revoked_key') return `${outcome} when revoked`;
    return null;
  }
}
