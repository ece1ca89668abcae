import type { Later } from '../timers/repeating.ts';
import type { Clock } from './clock.ts';
import type { Terms } from './lease.ts';
import { type Acknowledgement, type ClusterSnapshot, type Head, type NodeRow, sameHead } from './link.ts';
import type { WaitFigures } from './wait-figures.ts';
import { within } from './within.ts';

/** How a change took effect on every node. */
export interface Settled {
  /** How many nodes have applied it, including this one; the others no longer verify from their caches. */
  nodes: number;
  /** ms since the response to the commit. */
  waitedMs: number;
}

/** What the wait needs of its node. */
export interface WaitingNode {
  /** An exchange that is sent after the call, once the node has applied all that it shows. May never resolve. */
  exchanged(): Promise<ClusterSnapshot>;
  /** Whether a row is or was this process's own. */
  isOwn(id: string): boolean;
  /** ms since the current renewal of the row was first seen. */
  silentMs(id: string): number;
  /** Whether the row is gone, deleted with the renewal last seen or before. False when that is unknown. */
  fence(id: string): Promise<boolean>;
}

interface Options {
  clock: Clock;
  later: Later;
  terms: Terms;
  node: WaitingNode;
  figures: WaitFigures;
}

/** ms between two reads of the rows while no acknowledgement is notified: doubled each time. */
const poll = { shortest: 25, longest: 100 };

/** A change that is being propagated to all nodes. */
interface Wait {
  /** Monotonic ms. */
  answeredAt: number;
  /** Nodes that have not acknowledged it. */
  pending: Map<string, NodeRow>;
  /** Nodes that have it, this one included. */
  nodes: number;
  /** The newest change at the first read: this change or a later one. */
  target: Head;
  /** The last acknowledgement of each node that was notified during the wait. */
  acks: Map<string, Acknowledgement>;
}

/** Waits until a change that was committed is in effect on every node. */
export class Waiting {
  readonly #options: Options;
  readonly #wakers = new Set<() => void>();
  readonly #waits = new Set<Wait>();
  /** Number of acknowledgements notified so far, of any node and any change. */
  #acks = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /**
   * Reports that a node has acknowledged a change, which stays true if its row is lost.
   *
   * @param ack undefined when it is unknown which node and which change
   */
  acked(ack: Acknowledgement | undefined): void {
    if (ack !== undefined && this.#options.node.isOwn(ack.nodeId)) return;
    if (ack !== undefined) for (const { acks } of this.#waits) acks.set(ack.nodeId, ack);
    this.#acks += 1;
    for (const wake of this.#wakers) wake();
  }

  /**
   * Returns when no node can answer from a cache that lacks the change: each has acknowledged it, or is fenced off, or
   * every lease that was requested before the change has expired. The last case also covers an unreachable database,
   * and this node itself: a lease that it holds by then was granted with the change applied.
   *
   * @param answeredAt monotonic ms at which the response to the commit had arrived. Not when the commit was sent: a
   *   lease may be requested in between.
   */
  async settle(answeredAt: number): Promise<Settled> {
    const { figures } = this.#options;
    const target = { seq: 0, token: '' };
    const wait: Wait = { answeredAt, pending: new Map(), nodes: 1, target, acks: new Map() };
    this.#waits.add(wait);
    const heard = this.#acks;
    const first = await this.#exchanged(wait);
    if (first !== undefined) {
      this.#begin(wait, first);
      await this.#watch(wait, heard);
    }
    this.#waits.delete(wait);
    const waitedMs = this.#waited(wait);
    for (const { name } of wait.pending.values()) figures.waitedFor(name, waitedMs);
    figures.settled(waitedMs);
    return { nodes: wait.nodes, waitedMs };
  }

  /** Nodes that register later read a head after the change, and start with an empty cache. */
  #begin(wait: Wait, { head, nodes }: ClusterSnapshot): void {
    wait.target = head;
    for (const row of nodes) {
      if (!this.#options.node.isOwn(row.id)) wait.pending.set(row.id, row);
    }
    this.#strike(wait, nodes);
  }

  /** @param seen number of acknowledgements notified before the last read of the rows was sent */
  async #watch(wait: Wait, seen: number): Promise<void> {
    let heard = seen;
    let pause: number = poll.shortest;
    await this.#fenceSilent(wait);
    while (wait.pending.size > 0 && this.#left(wait) > 0) {
      // One that was notified during the read may be missing from its rows.
      if (this.#acks === heard) await this.#pause(Math.min(pause, this.#left(wait)));
      pause = Math.min(pause * 2, poll.longest);
      heard = this.#acks;
      if (this.#strikeNotified(wait)) continue;
      const exchange = await this.#exchanged(wait);
      if (exchange === undefined) return;
      this.#strike(wait, exchange.nodes);
      await this.#fenceSilent(wait);
    }
  }

  /** Drops the nodes that have acknowledged the change, and those that are gone: they left, or were fenced off. */
  #strike(wait: Wait, rows: readonly NodeRow[]): void {
    for (const id of wait.pending.keys()) {
      const row = rows.find((one) => one.id === id);
      if (row === undefined) this.#drop(wait, id);
      else if (row.ackedSeq >= wait.target.seq) this.#count(wait, id);
    }
  }

  /**
   * Counts the nodes that were notified to have acknowledged the change, without a look at the rows. The token must be
   * that of the change: after a failover, a late notification may be of another change with its number. The renewal must
   * be the one that was read: only the node itself, and who may read the table, know it.
   *
   * @returns whether there were any
   */
  #strikeNotified(wait: Wait): boolean {
    const before = wait.pending.size;
    for (const [id, { renewal }] of wait.pending) {
      const ack = wait.acks.get(id);
      if (ack?.renewal === renewal && sameHead(ack, wait.target)) this.#count(wait, id);
    }
    return wait.pending.size < before;
  }

  #count(wait: Wait, id: string): void {
    wait.nodes += 1;
    this.#drop(wait, id);
  }

  #drop(wait: Wait, id: string): void {
    const { name = '' } = wait.pending.get(id) ?? {};
    wait.pending.delete(id);
    this.#options.figures.waitedFor(name, this.#waited(wait));
  }

  /**
   * Fences off a dead node, so that it does not slow down every change. Its last lease has expired, but a renewal that
   * read before the change may still commit. So the node is skipped only after its row was deleted with the renewal
   * last seen: the late renewal then finds no row.
   */
  async #fenceSilent(wait: Wait): Promise<void> {
    const { node, terms, later } = this.#options;
    const silent = Array.from(wait.pending.keys()).filter(
      (id) => node.silentMs(id) > terms.leaseMs + terms.marginMs,
    );
    await Promise.all(
      silent.map(async (id) => {
        if ((await within(node.fence(id), this.#left(wait), later)) === true) wait.pending.delete(id);
      }),
    );
  }

  /** @returns undefined at the timeout */
  async #exchanged(wait: Wait): Promise<ClusterSnapshot | undefined> {
    const { node, later } = this.#options;
    const exchanged = node.exchanged();
    let seen: ClusterSnapshot | undefined;
    // Timers may fire early.
    while (seen === undefined && this.#left(wait) > 0)
      seen = await within(exchanged, this.#left(wait), later);
    return seen;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        this.#wakers.delete(end);
        resolve();
      };
      const cancel = this.#options.later(end, ms);
      this.#wakers.add(end);
    });
  }

  #waited({ answeredAt }: Wait): number {
    return this.#options.clock.monotonic() - answeredAt;
  }

  /** Whole ms until the wait is over, whatever the other nodes do. */
  #left(wait: Wait): number {
    const { leaseMs, marginMs } = this.#options.terms;
    return Math.max(0, Math.ceil(leaseMs + marginMs - this.#waited(wait)));
  }
}
