import { type ChangeEntry, type ClusterSnapshot, isSamePosition, type LogPosition } from './cluster-store.ts';

/** The verifier's cache of keys. Both methods are called in the event-loop turn in which the change log advances. */
export interface ReplicatedCache {
  evict(change: ChangeEntry): void;
  clear(): void;
}

/** Taken when a read of a key is sent; identifies the state of the cache at that time. */
export type ReadTicket = number;

const uncacheable: ReadTicket = -1;

/**
 * - complete: every change up to the head of the snapshot was evicted from the cache
 * - partial: more changes remain than one heartbeat returns
 * - broken: which changes the cache lacks is unknown
 */
type ApplyResult = 'complete' | 'partial' | 'broken';

/** This node's position in the change log. It advances only through consecutive changes. */
export class ChangeLog {
  readonly #cache: ReplicatedCache;
  /** Incremented each time the cache is emptied. */
  #epoch = 0;
  #registered = false;
  #applied: LogPosition = { seq: 0, token: '' };

  constructor(cache: ReplicatedCache) {
    this.#cache = cache;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get registered(): boolean {
    return this.#registered;
  }

  /** The newest change that was evicted from the cache. */
  get applied(): LogPosition {
    return this.#applied;
  }

  /** Empties the cache. Results of earlier reads may no longer be cached. */
  reset(): void {
    this.#epoch += 1;
    this.#registered = false;
    this.#cache.clear();
  }

  /** @param head read after the row was committed, so that a node that commits a later change waits for this node */
  begin(head: LogPosition): void {
    this.#applied = head;
    this.#registered = true;
  }

  /** Evicts what the changes of a snapshot affect. */
  apply({ registered, head, changes }: ClusterSnapshot): ApplyResult {
    if (!registered) return 'broken';
    if (head.seq > this.#applied.seq && !this.#applyConsecutive(changes)) return 'broken';
    if (head.seq > this.#applied.seq) return 'partial';
    // A head older than the applied change, or a different change with its number: a failover has lost commits.
    return isSamePosition(head, this.#applied) ? 'complete' : 'broken';
  }

  /** @returns false at a gap, where a change may be missing */
  #applyConsecutive(changes: readonly ChangeEntry[]): boolean {
    const [last, ...next] = changes;
    if (last === undefined || !isSamePosition(last, this.#applied) || next.length === 0) return false;
    for (const change of next) {
      if (change.seq !== this.#applied.seq + 1) return false;
      this.#cache.evict(change);
      this.#applied = { seq: change.seq, token: change.token };
    }
    return true;
  }

  beginRead(): ReadTicket {
    return this.#registered ? this.#epoch : uncacheable;
  }

  /**
   * Whether the result of a read may be cached. Call this in the event-loop turn in which it is cached.
   *
   * @param head read in the same snapshot as the key: an older one may lack a change that was applied since
   */
  mayCache(ticket: ReadTicket, head: LogPosition): boolean {
    if (ticket !== this.#epoch) return false;
    return head.seq > this.#applied.seq || isSamePosition(head, this.#applied);
  }
}
