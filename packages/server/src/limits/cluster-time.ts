import { minuteOf } from './sliding-window.ts';

/** ms by which the clock may go back without being followed: it then stands still for so long. */
const standstill = 1000;

/** ms before a minute from which on its nodes can be counted: all that have a share of it are registered by then. */
const countable = 10_000;

/** What a node asks the database for now and then. */
export interface Look {
  /** Epoch ms, by the database's clock. */
  at: number;
  /** Nodes that are registered. */
  nodes: number;
  /** How many of them may have a share of the minute after `at`. */
  sharing: number;
  /** Whether this one is among those. */
  included: boolean;
}

/** This node, as the others know it. */
export interface ClusterMember {
  /** Another one after each registration. */
  readonly id: string;
  /** Whether it has a lease. Without it, the others may have removed it. @param now epoch ms */
  holds(now: number): boolean;
}

/** A minute of which this node has a share, if it is still the node of that id. */
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
 * The database's clock as a node knows it, and how many nodes share the limits of a minute. A node has a share of a
 * minute when the database counted it among the nodes shortly before that minute. Nodes may leave after that, but none
 * is added, so no node counts fewer than there are.
 */
export class ClusterTime {
  readonly #member: ClusterMember;
  /** ms by which the database's clock is before this node's. */
  #offset = 0;
  /** Epoch ms: the latest that was made of a clock and the offset. */
  #latest = 0;
  #shared: SharedMinute[] = [];
  /** How many nodes there were at the last look. */
  nodes = 1;

  constructor(member: ClusterMember) {
    this.#member = member;
  }

  /** Epoch ms by the database's clock, as far as it is known. @param now epoch ms, by this node's own */
  of(now: number): number {
    const time = now + this.#offset;
    if (time <= this.#latest && this.#latest - time < standstill) return this.#latest;
    this.#latest = time;
    return time;
  }

  /**
   * Learns what the clock of the database said between two moments of this one. It changes the offset as little as that
   * asks for, so that the time does not tremble.
   */
  set(at: number, sent: number, received: number): void {
    this.#offset = Math.min(Math.max(this.#offset, at - received), at - sent);
  }

  /** @param id this node's when the look was sent */
  see({ at, nodes, sharing, included }: Look, id: string): void {
    this.nodes = Math.max(1, nodes);
    const minute = minuteOf(at) + 1;
    // It came late: what this node has of the minute is settled, and others may have been told that it is nothing.
    if (minuteStart(minute) <= this.#latest) return;
    this.#shared = this.#shared.filter((each) => each.minute >= minute - 2 && each.minute !== minute);
    if (included && minuteStart(minute) - at <= countable) this.#shared.push({ minute, id, sharing });
  }

  /** How many nodes share the limits of a minute; 0: this one has no share. @param now epoch ms, by this node's clock */
  sharing(minute: number, now: number): number {
    const shared = this.#shared.find((each) => each.minute === minute);
    return shared !== undefined && shared.id === this.#member.id && this.#member.holds(now)
      ? shared.sharing
      : 0;
  }

  /** The id under which this node certainly has no share of a minute; undefined when it may have one. */
  withoutShare(minute: number): string | undefined {
    return this.#shared.some((each) => each.minute === minute) ? undefined : this.#member.id;
  }
}
