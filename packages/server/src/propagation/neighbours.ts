import type { NodeRow } from './link.ts';

interface Seen {
  row: NodeRow;
  /** Monotonic ms, when the first answer that showed this renewal arrived. */
  since: number;
}

/** The registered nodes, and since when each of them was not heard of. */
export class Neighbours {
  #seen = new Map<string, Seen>();

  /**
   * @param rows all of them, of one snapshot
   * @param arrivedAt monotonic ms, when the answer arrived. The renewal may have been committed while the question
   *   was on its way, so the time of sending would be too early.
   */
  see(rows: readonly NodeRow[], arrivedAt: number): void {
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

  /** As it was seen last. */
  row(id: string): NodeRow | undefined {
    return this.#seen.get(id)?.row;
  }

  /** ms since this node was first seen as it was seen last; 0 when it is not known. */
  silentMs(id: string, now: number): number {
    const seen = this.#seen.get(id);
    return seen === undefined ? 0 : now - seen.since;
  }
}
