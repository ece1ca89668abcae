/** Upper bounds of the histogram of waits, ms. */
export const waitBucketEnds = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000] as const;

/** Most node names. Each deployment may bring a new one, so the oldest are dropped. */
const mostNames = 50;

/** How often, and for how many ms. */
export interface Waits {
  count: number;
  sumMs: number;
}

/** What changes have waited for since the process started. */
export class WaitFigures {
  readonly all: Waits = { count: 0, sumMs: 0 };
  /** Waits of at most waitBucketEnds[i] ms and more than the bound before; the last one counts all longer waits. */
  readonly buckets: number[] = Array.from({ length: waitBucketEnds.length + 1 }, () => 0);
  /** By the name of the node. */
  readonly byName = new Map<string, Waits>();
  /** Silent nodes whose rows this node has removed. */
  fenced = 0;

  /** Records that a change is in effect. */
  settled(ms: number): void {
    add(this.all, ms);
    const bucket = waitBucketEnds.findIndex((end) => ms <= end);
    const index = bucket === -1 ? waitBucketEnds.length : bucket;
    this.buckets[index] = (this.buckets[index] ?? 0) + 1;
  }

  /** Records how long a change has waited for a node. */
  waitedFor(name: string, ms: number): void {
    const known = this.byName.get(name) ?? { count: 0, sumMs: 0 };
    this.byName.delete(name);
    this.byName.set(name, known);
    add(known, ms);
    if (this.byName.size <= mostNames) return;
    for (const oldest of this.byName.keys()) {
      this.byName.delete(oldest);
      break;
    }
  }
}

function add(waits: Waits, ms: number): void {
  waits.count += 1;
  waits.sumMs += ms;
}
