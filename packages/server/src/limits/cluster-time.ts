import { minuteOf } from './sliding-window.ts';

/** Backward clock steps up to this many ms are bridged: the time stands still until the clock catches up. */
const standstill = 1000;

/** ms before a minute from which its nodes can be counted: all nodes with a share are registered by then. */
const countable = 10_000;

/** The cluster state that a node periodically reads from the database. */
export interface ClusterState {
  /** Epoch ms, by the database's clock. */
  at: number;
  /** Number of registered nodes. */
  nodes: number;
  /** Number of nodes that may have a share of the minute after `at`. */
  sharing: number;
  /** Whether this node is one of them. */
  isSharing: boolean;
}

/** The registration of this node. */
export interface ClusterMember {
  /** Changes with each registration. */
  readonly id: string;
  /** Whether the node holds a lease. Without one, other nodes may have removed it. @param now epoch ms */
  holds(now: number): boolean;
}

/** A minute of which this node has a share, as long as it has this ID. */
interface SharedMinute {
  minute: number;
  id: string;
  sharing: number;
}

/** @returns epoch ms */
export function minuteStart(minute: number): number {
  return minute * 60_000;
}

/**
 * Estimates the database's clock, and tracks how many nodes share the limits of a minute. A node has a share of a
 * minute if the database counted it shortly before that minute. After that, nodes may leave but not join, so no node
 * divides by too small a number.
 */
export class ClusterTime {
  readonly #member: ClusterMember;
  /** ms by which the database's clock is ahead of this node's. */
  #offset = 0;
  /** The latest estimate that was returned, in epoch ms. */
  #latest = 0;
  #shared: SharedMinute[] = [];
  /** Number of nodes at the last reading. */
  nodes = 1;

  constructor(member: ClusterMember) {
    this.#member = member;
  }

  /** @returns the estimated time of the database's clock, in epoch ms. @param now epoch ms, by this node's clock */
  of(now: number): number {
    const time = now + this.#offset;
    if (time <= this.#latest && this.#latest - time < standstill) return this.#latest;
    this.#latest = time;
    return time;
  }

  /**
   * Adjusts the offset to a reading of the database's clock that was taken between two moments of this node's clock.
   * The offset changes as little as possible, so that the time does not jitter.
   */
  synchronize(at: number, sent: number, received: number): void {
    this.#offset = Math.min(Math.max(this.#offset, at - received), at - sent);
  }

  /** @param id this node's ID when the reading was requested */
  update({ at, nodes, sharing: sharingNodes, isSharing }: ClusterState, id: string): void {
    this.nodes = Math.max(1, nodes);
    const minute = minuteOf(at) + 1;
    // Too late: the share of the minute is fixed, and the database may have been informed that this node has none.
    if (minuteStart(minute) <= this.#latest) return;
    this.#shared = this.#shared.filter((each) => each.minute >= minute - 2 && each.minute !== minute);
    if (isSharing && minuteStart(minute) - at <= countable)
      this.#shared.push({ minute, id, sharing: sharingNodes });
  }

  /** Number of nodes that share a minute; 0 if this node has no share. @param now epoch ms, by this node's clock */
  sharing(minute: number, now: number): number {
    const shared = this.#shared.find((each) => each.minute === minute);
    return shared !== undefined && shared.id === this.#member.id && this.#member.holds(now)
      ? shared.sharing
      : 0;
  }

  /** The ID under which this node certainly has no share of a minute; undefined if it may have one. */
  idWithoutShare(minute: number): string | undefined {
    return this.#shared.some((each) => each.minute === minute) ? undefined : this.#member.id;
  }
}
