/** Upper bounds of the histogram of waits, ms. */
export const waitBucketEnds = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000] as const;

/** Names of nodes are the operator's, and there may be a new one with each deployment: the oldest are dropped. */
const mostNames = 50;

/** How often, and for how many ms. */
export interface Waits {
  count: number;
  sumMs: number;
}

/** What changes waited for since the process was started. */
export class WaitFigures {
  readonly all: Waits = { count: 0, sumMs: 0 };
  /** Waits of at most waitBucketEnds[i] ms and more than the bound before; the last number is of all longer ones. */
  readonly buckets: number[] = Array.from({ length: waitBucketEnds.length + 1 }, () => 0);
  /** By name of the node that was waited for. */
  readonly byName = new Map<string, Waits>();
  /** Nodes that did not answer, whose rows this node has removed. */
  fenced = 0;

  /** A change is in effect. */
  settled(ms: number): void {
    add(this.all, ms);
    const bucket = waitBucketEnds.findIndex((end) => ms <= end);
    const index = bucket === -1 ? waitBucketEnds.length : bucket;
    this.buckets[index] = (this.buckets[index] ?? 0) + 1;
  }

  /** A change has waited so long for a node. */
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
