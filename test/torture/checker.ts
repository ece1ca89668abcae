/** What happened to a key, as its clients saw it, and what must not have happened. */

/** What a client can be told when a node cannot do its work: allowed only during an outage. */
export const failures: ReadonlySet<string> = new Set(['verification_unavailable', 'no answer']);

/** One verification. Times are ms of one monotonic clock, and lie outside of what they enclose. */
export interface Use {
  sentAt: number;
  answeredAt: number;
  /** 'accepted', the code of a refusal, or 'no answer' when the connection broke. */
  outcome: string;
}

/** When a node, or what it needs, is made to fail. */
export class Outage {
  #from = Number.POSITIVE_INFINITY;
  #until = Number.NEGATIVE_INFINITY;

  begin(at: number): void {
    // Two that follow each other are one: what was sent in the first may be answered in the second.
    if (at > this.#until) this.#from = at;
    this.#until = Number.POSITIVE_INFINITY;
  }

  /** @param until ms, when the node must be well again */
  end(until: number): void {
    this.#until = until;
  }

  /** Whether what lasted from `sentAt` to `answeredAt` may have met it. */
  excuses({ sentAt, answeredAt }: Pick<Use, 'sentAt' | 'answeredAt'>): boolean {
    return sentAt <= this.#until && answeredAt >= this.#from;
  }
}

/**
 * One key. The events have to be told when they happen, those of all keys in one process: then nothing needs to be
 * kept but the three times, whatever the number of verifications.
 */
export class Life {
  readonly #madeAt: number;
  /** The first of several. */
  #revokeSentAt = Number.POSITIVE_INFINITY;
  #revokedAt = Number.POSITIVE_INFINITY;

  /** @param madeAt ms, when its creation was answered */
  constructor(madeAt: number) {
    this.#madeAt = madeAt;
  }

  /** A revoke is about to be sent. What becomes of it may never be known. */
  revokeSent(at: number): void {
    this.#revokeSentAt = Math.min(this.#revokeSentAt, at);
  }

  /** A revoke was answered with 200: from now on no node may accept. */
  revoked(at: number): void {
    this.#revokedAt = Math.min(this.#revokedAt, at);
  }

  /**
   * @param outage of the node that was asked
   * @returns which rule a verification breaks; null for none
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
