import type { Change, ClusterSnapshot, Head } from './link.ts';

/** What verification remembers of keys. Both are called in the turn in which the feed moves. */
export interface Cache {
  forget(change: Change): void;
  empty(): void;
}

/** Taken when a read of a key is sent. */
export type Ticket = number;

const unkeepable: Ticket = -1;

/**
 * - complete: every change up to the head of the exchange has left the cache
 * - partial: there are more than one exchange brings
 * - broken: what the cache lacks is not known any more
 */
type Applied = 'complete' | 'partial' | 'broken';

/** How far this node has followed the changes. It moves only through consecutive changes. */
export class Feed {
  readonly #cache: Cache;
  /** Another one whenever the cache was emptied. */
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

  /** The newest change that has left the cache. */
  get applied(): Head {
    return this.#applied;
  }

  /** Forgets everything: nothing that was read before may be kept. */
  startOver(): void {
    this.#epoch += 1;
    this.#registered = false;
    this.#cache.empty();
  }

  /** @param head read after the node's row was committed, so that whoever made a later change waits for the row */
  begin(head: Head): void {
    this.#applied = head;
    this.#registered = true;
  }

  /** Forgets what has changed. */
  apply({ registered, head, changes }: ClusterSnapshot): Applied {
    if (!registered) return 'broken';
    if (head.seq > this.#applied.seq && !this.#follow(changes)) return 'broken';
    if (head.seq > this.#applied.seq) return 'partial';
    // A head behind what was applied, or another change of the same number: a failover has lost commits.
    return same(head, this.#applied) ? 'complete' : 'broken';
  }

  /** @returns false at a gap: a change may be missing */
  #follow(changes: readonly Change[]): boolean {
    const [last, ...next] = changes;
    if (last === undefined || !same(last, this.#applied) || next.length === 0) return false;
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
   * Whether what was read may be cached. To be asked in the turn in which it is cached.
   *
   * @param head of the snapshot in which the key was read: an older one may lack a change that was applied since
   */
  mayKeep(ticket: Ticket, head: Head): boolean {
    if (ticket !== this.#epoch) return false;
    return head.seq > this.#applied.seq || same(head, this.#applied);
  }
}

function same(one: Head, other: Head): boolean {
  return one.seq === other.seq && one.token === other.token;
}
