import type { LogPosition } from './cluster-store.ts';

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

  /** Compares a new instance with the revocation journal. */
  async compare(): Promise<void> {
    if (this.#isReplaced) await this.#handlers.reapply();
  }

  /**
   * Call this when the node has registered with the instance, after `compare`.
   *
   * @param lacks whether the instance lacks the last change that the node had applied
   */
  async accept(applied: LogPosition, lacks: (position: LogPosition) => Promise<boolean>): Promise<void> {
    if (this.#isReplaced && (await lacks(applied))) this.#handlers.lostChanges();
    this.#isReplaced = false;
  }
}
