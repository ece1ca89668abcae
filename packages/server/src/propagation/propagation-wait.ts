import type { Schedule } from '../timers/periodic-task.ts';
import type { Clock } from './clock.ts';
import {
  type Acknowledgment,
  type ClusterSnapshot,
  isSamePosition,
  type LogPosition,
  type NodeRow,
} from './cluster-store.ts';
import type { LeaseTiming } from './lease.ts';
import type { WaitMetrics } from './wait-metrics.ts';
import { withTimeout } from './with-timeout.ts';

/** The result of waiting until a change is in effect on every node. */
export interface WaitResult {
  /** Number of nodes that have applied it, including this one; the others no longer verify from their caches. */
  nodes: number;
  /** ms since the response to the commit. */
  waitedMs: number;
}

/** The operations of the node on which a wait depends. */
export interface WaitingNode {
  /** A heartbeat that is sent after the call, once the node has applied every change it returned. May never resolve. */
  nextHeartbeat(): Promise<ClusterSnapshot>;
  /** Whether a row is or was this process's own. */
  isOwn(id: string): boolean;
  /** ms since the current renewal of the row was first seen. */
  silentMs(id: string): number;
  /** Deletes a row if its renewal is the one last seen. Resolves to whether the row is gone; false when unknown. */
  fence(id: string): Promise<boolean>;
}

interface Options {
  clock: Clock;
  schedule: Schedule;
  timing: LeaseTiming;
  node: WaitingNode;
  figures: WaitMetrics;
}

/** ms between two reads of the rows while no acknowledgment is notified. Doubled each time. */
const poll = { shortest: 25, longest: 100 };

/** A change that is being propagated to all nodes. */
interface Wait {
  /** Monotonic ms at which the response to the commit arrived. */
  confirmedAt: number;
  /** Nodes that have not acknowledged it. */
  pending: Map<string, NodeRow>;
  /** Number of nodes that have applied it, including this one. */
  nodes: number;
  /** The head at the first read: this change or a later one. */
  target: LogPosition;
  /** The last acknowledgment that each node has sent by notification during the wait. */
  acks: Map<string, Acknowledgment>;
}

/** Waits until a committed change is in effect on every node. */
export class PropagationWait {
  readonly #options: Options;
  readonly #wakers = new Set<() => void>();
  readonly #waits = new Set<Wait>();
  /** Number of acknowledgments notified so far, by any node, of any change. */
  #acks = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /**
   * Call this when a node has acknowledged a change. The acknowledgment stays valid if the node's row is lost.
   *
   * @param ack undefined when the node and the change are unknown
   */
  onAcknowledgment(ack: Acknowledgment | undefined): void {
    if (ack !== undefined && this.#options.node.isOwn(ack.nodeId)) return;
    if (ack !== undefined) for (const { acks } of this.#waits) acks.set(ack.nodeId, ack);
    this.#acks += 1;
    for (const wake of this.#wakers) wake();
  }

  /**
   * Returns when no node can verify from a cache that lacks the change: each has acknowledged it or is fenced, or every
   * lease that was requested before the change has expired. The last case also covers an unreachable database, and this
   * node itself: any lease that it holds by then was granted after it applied the change.
   *
   * @param confirmedAt monotonic ms at which the response to the commit arrived, not at which the commit was sent: a
   *   lease may be requested in between
   */
  async settle(confirmedAt: number): Promise<WaitResult> {
    const { figures } = this.#options;
    const target = { seq: 0, token: '' };
    const wait: Wait = { confirmedAt, pending: new Map(), nodes: 1, target, acks: new Map() };
    this.#waits.add(wait);
    const seenAcks = this.#acks;
    const first = await this.#nextSnapshot(wait);
    if (first !== undefined) {
      this.#begin(wait, first);
      await this.#pollRows(wait, seenAcks);
    }
    this.#waits.delete(wait);
    const waitedMs = this.#elapsedMs(wait);
    for (const { name } of wait.pending.values()) figures.recordNodeWait(name, waitedMs);
    figures.recordWait(waitedMs);
    return { nodes: wait.nodes, waitedMs };
  }

  /** Considers the nodes of the first snapshot. Later ones register after the change, with an empty cache. */
  #begin(wait: Wait, { head, nodes }: ClusterSnapshot): void {
    wait.target = head;
    for (const row of nodes) {
      if (!this.#options.node.isOwn(row.id)) wait.pending.set(row.id, row);
    }
    this.#removeAcknowledged(wait, nodes);
  }

  /** @param seen number of acknowledgments notified before the last read of the rows was sent */
  async #pollRows(wait: Wait, seen: number): Promise<void> {
    let seenAcks = seen;
    let pause: number = poll.shortest;
    await this.#fenceSilent(wait);
    while (wait.pending.size > 0 && this.#remainingMs(wait) > 0) {
      // An acknowledgment that was notified during the read may be missing from its rows.
      if (this.#acks === seenAcks) await this.#pause(Math.min(pause, this.#remainingMs(wait)));
      pause = Math.min(pause * 2, poll.longest);
      seenAcks = this.#acks;
      if (this.#removeNotified(wait)) continue;
      const snapshot = await this.#nextSnapshot(wait);
      if (snapshot === undefined) return;
      this.#removeAcknowledged(wait, snapshot.nodes);
      await this.#fenceSilent(wait);
    }
  }

  /** Stops waiting for nodes that have acknowledged the change, left, or were fenced. */
  #removeAcknowledged(wait: Wait, rows: readonly NodeRow[]): void {
    for (const id of wait.pending.keys()) {
      const row = rows.find((one) => one.id === id);
      if (row === undefined) this.#remove(wait, id);
      else if (row.ackedSeq >= wait.target.seq) this.#count(wait, id);
    }
  }

  /**
   * Counts the nodes whose acknowledgment of the change was notified, without reading the rows. The token must match:
   * after a failover, a late notification may refer to another change with the same number. The renewal must match the
   * one in the row, which only the node itself and roles that can read the table know.
   *
   * @returns whether there were any
   */
  #removeNotified(wait: Wait): boolean {
    const before = wait.pending.size;
    for (const [id, { renewal }] of wait.pending) {
      const ack = wait.acks.get(id);
      if (ack?.renewal === renewal && isSamePosition(ack, wait.target)) this.#count(wait, id);
    }
    return wait.pending.size < before;
  }

  #count(wait: Wait, id: string): void {
    wait.nodes += 1;
    this.#remove(wait, id);
  }

  #remove(wait: Wait, id: string): void {
    const { name = '' } = wait.pending.get(id) ?? {};
    wait.pending.delete(id);
    this.#options.figures.recordNodeWait(name, this.#elapsedMs(wait));
  }

  /**
   * Fences silent nodes, so that they do not slow down every change. The last lease of a silent node has expired, but a
   * renewal that read before the change may still commit. So the node is skipped only after its row was deleted with
   * the renewal last seen: the late renewal then finds no row.
   */
  async #fenceSilent(wait: Wait): Promise<void> {
    const { node, timing, schedule } = this.#options;
    const silent = Array.from(wait.pending.keys()).filter(
      (id) => node.silentMs(id) > timing.leaseMs + timing.marginMs,
    );
    await Promise.all(
      silent.map(async (id) => {
        if ((await withTimeout(node.fence(id), this.#remainingMs(wait), schedule)) === true)
          wait.pending.delete(id);
      }),
    );
  }

  /** @returns undefined on timeout */
  async #nextSnapshot(wait: Wait): Promise<ClusterSnapshot | undefined> {
    const { node, schedule } = this.#options;
    const next = node.nextHeartbeat();
    let seen: ClusterSnapshot | undefined;
    // Timers may fire early.
    while (seen === undefined && this.#remainingMs(wait) > 0)
      seen = await withTimeout(next, this.#remainingMs(wait), schedule);
    return seen;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        this.#wakers.delete(end);
        resolve();
      };
      const cancel = this.#options.schedule(end, ms);
      this.#wakers.add(end);
    });
  }

  #elapsedMs({ confirmedAt }: Wait): number {
    return this.#options.clock.monotonic() - confirmedAt;
  }

  /** Whole ms until the wait ends, whatever the other nodes do. */
  #remainingMs(wait: Wait): number {
    const { leaseMs, marginMs } = this.#options.timing;
    return Math.max(0, Math.ceil(leaseMs + marginMs - this.#elapsedMs(wait)));
  }
}
