/** Upper bounds of the histogram of waits, ms. */
export const waitBucketBounds = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000] as const;

/** Maximum number of node names. Each deployment may add new ones, so the least recent are dropped. */
const maxNames = 50;

/** Number of waits, and their total duration in ms. */
export interface WaitTotals {
  count: number;
  sumMs: number;
}

/** How long changes have waited for other nodes since the process started. */
export class WaitMetrics {
  readonly all: WaitTotals = { count: 0, sumMs: 0 };
  /** Bucket i counts waits above the previous bound and up to waitBucketBounds[i] ms; the last counts all longer ones. */
  readonly buckets: number[] = Array.from({ length: waitBucketBounds.length + 1 }, () => 0);
  /** By node name. */
  readonly byName = new Map<string, WaitTotals>();
  /** Number of silent nodes whose rows this node has removed. */
  fenced = 0;

  /** Records the total wait of a change. */
  recordWait(ms: number): void {
    add(this.all, ms);
    const bucket = waitBucketBounds.findIndex((end) => ms <= end);
    const index = bucket === -1 ? waitBucketBounds.length : bucket;
    this.buckets[index] = (this.buckets[index] ?? 0) + 1;
  }

  /** Records how long a change waited for one node. */
  recordNodeWait(name: string, ms: number): void {
    const known = this.byName.get(name) ?? { count: 0, sumMs: 0 };
    this.byName.delete(name);
    this.byName.set(name, known);
    add(known, ms);
    if (this.byName.size <= maxNames) return;
    for (const oldest of this.byName.keys()) {
      this.byName.delete(oldest);
      break;
    }
  }
}

function add(waits: WaitTotals, ms: number): void {
  waits.count += 1;
  waits.sumMs += ms;
}
