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
  excuses({ sentAt, receivedAt }: { sentAt: number; receivedAt: number }): boolean {
    return sentAt <= this.#until && receivedAt >= this.#from;
  }
}
