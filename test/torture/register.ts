/** A value that clients change, as they observed it. Times are ms of one monotonic clock. */

/** One change of a value. Its outcome is unknown until `completed` or `withdrawn` is called. */
export class Change<T> {
  readonly value: T;
  readonly sentAt: number;
  #completedAt = Number.POSITIVE_INFINITY;
  #isWithdrawn = false;

  /** @param sentAt taken before the change is sent */
  constructor(value: T, sentAt: number) {
    this.value = value;
    this.sentAt = sentAt;
  }

  get completedAt(): number {
    return this.#completedAt;
  }

  get isWithdrawn(): boolean {
    return this.#isWithdrawn;
  }

  /** Call this when the change returned: from now on it is in effect. If it was sent several times, the first counts. */
  completed(at: number): void {
    this.#completedAt = Math.min(this.#completedAt, at);
  }

  /** Call this when it is certain that the change has no effect. */
  withdrawn(): void {
    this.#isWithdrawn = true;
  }
}

/**
 * A value and its changes, which must be reported as they happen. Send a different value only after the previous change
 * completed or was withdrawn: a change with an unknown outcome may take effect later, and undo the next one.
 */
export class Register<T> {
  readonly #initial: Change<T>;
  /** Newest first. */
  #changes: Change<T>[] = [];

  /** @param value in effect from the beginning */
  constructor(value: T) {
    this.#initial = new Change(value, Number.NEGATIVE_INFINITY);
  }

  /** The value of the newest change. */
  get latest(): T {
    return (this.#changes.find(({ isWithdrawn }) => !isWithdrawn) ?? this.#initial).value;
  }

  /** Call this before a change is sent. */
  change(value: T, sentAt: number): Change<T> {
    const change = new Change(value, sentAt);
    this.#changes.unshift(change);
    return change;
  }

  /** The changes that may have been in effect at some time from `sentAt` to `receivedAt`, newest first. */
  possible(sentAt: number, receivedAt: number): Change<T>[] {
    const possible: Change<T>[] = [];
    for (const change of this.#changes) {
      if (change.isWithdrawn || change.sentAt > receivedAt) continue;
      possible.push(change);
      if (change.completedAt < sentAt) return possible;
    }
    return [...possible, this.#initial];
  }
}
