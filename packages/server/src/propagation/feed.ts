import { type Change, type ClusterSnapshot, type Head, sameHead } from './link.ts';

/** The verifier's cache of keys. Both methods are called in the same turn in which the feed advances. */
export interface Cache {
  forget(change: Change): void;
  empty(): void;
}

/** Taken when a read of a key is sent. */
export type Ticket = number;

const unkeepable: Ticket = -1;

/**
 * - complete: every change up to the head of the exchange is evicted from the cache
 * - partial: there are more changes than one exchange returns
 * - broken: it is unknown which changes the cache lacks
 */
type Applied = 'complete' | 'partial' | 'broken';

/** How far this node has applied the changes. It advances only through consecutive changes. */
export class Feed {
  readonly #cache: Cache;
  /** Incremented when the cache is emptied. */
  #epoch = 0;
  #registered = false;
  #applied: Head = { seq: 0, token: '' };

  constructor(cache: Cache) {
    this.#cache = cache;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get registered(): boolean {
    return this.#registered;
  }

  /** The newest change that is evicted from the cache. */
  get applied(): Head {
    return this.#applied;
  }

  /** Empties the cache: nothing that was read before may be cached. */
  startOver(): void {
    this.#epoch += 1;
    this.#registered = false;
    this.#cache.empty();
  }

  /** @param head read after the node's row was committed, so that the author of a later change waits for this node */
  begin(head: Head): void {
    this.#applied = head;
    this.#registered = true;
  }

  /** Evicts what has changed. */
  apply({ registered, head, changes }: ClusterSnapshot): Applied {
    if (!registered) return 'broken';
    if (head.seq > this.#applied.seq && !this.#follow(changes)) return 'broken';
    if (head.seq > this.#applied.seq) return 'partial';
    // A head older than what was applied, or another change with the same number: a failover has lost commits.
    return sameHead(head, this.#applied) ? 'complete' : 'broken';
  }

  /** @returns false at a gap: a change may be missing */
  #follow(changes: readonly Change[]): boolean {
    const [last, ...next] = changes;
    if (last === undefined || !sameHead(last, this.#applied) || next.length === 0) return false;
    for (const change of next) {
      if (change.seq !== this.#applied.seq + 1) return false;
      this.#cache.forget(change);
      this.#applied = { seq: change.seq, token: change.token };
    }
    return true;
  }

  beginRead(): Ticket {
    return this.#registered ? this.#epoch : unkeepable;
  }

  /**
   * Whether what was read may be cached. Call it in the same turn in which it is cached.
   *
   * @param head of the snapshot in which the key was read: an older one may lack a change that was applied since
   */
  mayKeep(ticket: Ticket, head: Head): boolean {
    if (ticket !== this.#epoch) return false;
    return head.seq > this.#applied.seq || sameHead(head, this.#applied);
  }
}
