import type { NodeRow } from './cluster-store.ts';

interface Seen {
  row: NodeRow;
  /** Monotonic ms at which this renewal was first seen. */
  since: number;
}

/** The registered nodes of the cluster, and how long each has been silent. */
export class Peers {
  #seen = new Map<string, Seen>();

  /**
   * @param rows all rows of one snapshot
   * @param arrivedAt monotonic ms at which the response arrived. The time of sending would be too early: a renewal may
   *   have been committed after it.
   */
  observe(rows: readonly NodeRow[], arrivedAt: number): void {
    const seen = new Map<string, Seen>();
    for (const row of rows) {
      const before = this.#seen.get(row.id);
      const since = before?.row.renewal === row.renewal ? before.since : arrivedAt;
      seen.set(row.id, { row, since });
    }
    this.#seen = seen;
  }

  rows(): NodeRow[] {
    return Array.from(this.#seen.values(), ({ row }) => row);
  }

  /** The row of a node, as last seen. */
  row(id: string): NodeRow | undefined {
    return this.#seen.get(id)?.row;
  }

  /** ms since the current renewal of a node was first seen; 0 when the node is unknown. */
  silentMs(id: string, now: number): number {
    const seen = this.#seen.get(id);
    return seen === undefined ? 0 : now - seen.since;
  }
}
