import type { Schedule } from '../timers/periodic-task.ts';

/** What to do when another instance of the database responds. */
export interface InstanceHandlers {
  /** Called when another instance responds: the database has restarted, or a standby or a copy took over. */
  replaced: () => void;
  /**
   * Revokes again what the database lacks. It may wait for the disk without a limit; until it resolves, nothing is
   * accepted. @returns the instance that it used
   */
  reapply: () => Promise<string>;
  /** Called when this instance lacks a change that the node had applied. */
  lostChanges: () => void;
}

/** Thrown when another instance of the database responds. */
export class ReplacedInstance extends Error {
  constructor() {
    super('PostgreSQL was restarted or replaced, so this node starts over with an empty cache');
  }
}

/**
 * The instance of the database, a server process, with which a node registered. Another one may lack what the node has
 * seen: a standby that took over, or a restored copy.
 */
export class DatabaseInstance {
  readonly #handlers: InstanceHandlers;
  readonly #startOver: () => void;
  /** The newest instance that responded; undefined before the first. */
  #id: string | undefined;
  /** Whether it replaced another one and was not compared with the revocation journal yet. */
  #isReplaced = false;
  /**
   * Whether to compare it before the node registers. Also at first: the start of the server compared an instance, but
   * another one may have taken over since.
   */
  #mustCompare = true;
  /** Each ends the wait of a caller for the end of the comparison. */
  readonly #waiting = new Set<() => void>();

  /** @param startOver called before the handlers when another instance responds */
  constructor(handlers: InstanceHandlers, startOver: () => void) {
    this.#handlers = handlers;
    this.#startOver = startOver;
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

  /** @throws when it is not the instance with which the node registered, or was about to */
  require(id: string): void {
    if (this.isKnown(id)) return;
    this.replace(id);
    throw new ReplacedInstance();
  }

  replace(id: string): void {
    this.#startOver();
    this.#id = id;
    this.#isReplaced = true;
    this.#mustCompare = true;
    this.#handlers.replaced();
  }

  /** Whether it must be compared with the revocation journal before the node registers. */
  get mustCompare(): boolean {
    return this.#mustCompare;
  }

  /** Resolves to true when results of the newest instance may be used, or to false after `ms`. */
  async whenCompared(ms: number, schedule: Schedule): Promise<boolean> {
    if (!this.#isReplaced) return true;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const end = () => resolve(true);
    const cancel = schedule(() => resolve(false), ms);
    this.#waiting.add(end);
    const isCompared = await promise;
    cancel();
    // A comparison may last for hours, and callers come and go.
    this.#waiting.delete(end);
    return isCompared;
  }

  /** Revokes again what the database lacks. @returns the instance that it used */
  reapply(): Promise<string> {
    return this.#handlers.reapply();
  }

  /**
   * Call this when the instance was compared, and the node has registered with it.
   *
   * @param hasLost whether it lacks the last change that the node had applied
   */
  compared(hasLost: boolean): void {
    this.#isReplaced = false;
    this.#mustCompare = false;
    for (const end of this.#waiting) end();
    if (hasLost) this.#handlers.lostChanges();
  }
}
