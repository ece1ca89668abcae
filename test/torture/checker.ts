/** The history of a key, as its clients observed it, and the rules that it must not violate. */

/** Outcomes of a node that cannot work: allowed only during an outage. */
export const failures: ReadonlySet<string> = new Set(['verification_unavailable', 'no answer']);

/** One verification. Times are ms of one monotonic clock, taken before the request and after the response. */
export interface Use {
  sentAt: number;
  answeredAt: number;
  /** 'accepted', an error code, or 'no answer' when the connection broke. */
  outcome: string;
}

/** The time in which a node, or something that it depends on, is made to fail. */
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

  /** Whether a request from `sentAt` to `answeredAt` overlaps the outage. */
  excuses({ sentAt, answeredAt }: Pick<Use, 'sentAt' | 'answeredAt'>): boolean {
    return sentAt <= this.#until && answeredAt >= this.#from;
  }
}

/**
 * The life of one key. Events must be reported when they happen, for all keys in one process. Then only three times are
 * stored, whatever the number of verifications.
 */
export class KeyHistory {
  readonly #madeAt: number;
  /** The first of several revokes. */
  #revokeSentAt = Number.POSITIVE_INFINITY;
  #revokedAt = Number.POSITIVE_INFINITY;

  /** @param madeAt ms at which its creation returned */
  constructor(madeAt: number) {
    this.#madeAt = madeAt;
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
  judge(use: Use, outage: Outage): string | null {
    const { sentAt, answeredAt, outcome } = use;
    const late = sentAt - this.#revokedAt;
    if (outcome === 'accepted') {
      return late > 0 ? `accepted, sent ${late.toFixed(3)} ms after a revoke was answered` : null;
    }
    if (failures.has(outcome)) return outage.excuses(use) ? null : `${outcome} without an outage`;
    if (outcome !== 'revoked_key' && outcome !== 'unknown_key') return `answered ${outcome}`;
    if (sentAt >= this.#madeAt && answeredAt <= this.#revokeSentAt) return `${outcome} while alive`;
    if (late > 0 && outcome !== 'revoked_key') return `${outcome} when revoked`;
    return null;
  }
}
