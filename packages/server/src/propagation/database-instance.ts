/** What to do when another instance of the database responds. */
export interface InstanceHandlers {
  /** Called when it does: the database has restarted, or a standby or a copy took over. */
  replaced: () => void;
  /** Revokes again what this instance lacks. Until it resolves, nothing is accepted. */
  reapply: () => Promise<void>;
  /** Called when this instance lacks a change that the node had applied. */
  lostChanges: () => void;
}

/**
 * The instance of the database, a server process, with which a node registered. Another one may lack what the node has
 * seen: a standby that took over, or a restored copy.
 */
export class DatabaseInstance {
  readonly #handlers: InstanceHandlers;
  /** The newest instance that responded; undefined before the first, with which the start compares the journal. */
  #id: string | undefined;
  /** Whether it replaced another one and was not compared with the revocation journal yet. */
  #isReplaced = false;

  constructor(handlers: InstanceHandlers) {
    this.#handlers = handlers;
  }

  /** Whether `id` is the known instance. */
  isKnown(id: string): boolean {
    this.#id ??= id;
    return this.#id === id;
  }

  /** Whether results of this instance may be used: it is known, and compared with the revocation journal. */
  isCompared(id: string): boolean {
    return this.isKnown(id) && !this.#isReplaced;
  }

  replace(id: string): void {
    this.#id = id;
    this.#isReplaced = true;
    this.#handlers.replaced();
  }

  /** Whether it must be compared with the revocation journal before the node registers. */
  get isReplaced(): boolean {
    return this.#isReplaced;
  }

  /** Revokes again what the instance lacks. */
  reapply(): Promise<void> {
    return this.#handlers.reapply();
  }

  /**
   * Call this when the instance was compared, and the node has registered with it.
   *
   * @param hasLost whether it lacks the last change that the node had applied
   */
  compared(hasLost: boolean): void {
    this.#isReplaced = false;
    if (hasLost) this.#handlers.lostChanges();
  }
}
