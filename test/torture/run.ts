import { setTimeout as after } from 'node:timers/promises';
import { patience } from '../support/patience.ts';
import type { Random } from '../support/random.ts';
import { Cluster, type ClusterNode } from './cluster.ts';
import { Counts } from './counts.ts';
import type { Fault } from './faults.ts';
import { type Load, Traffic } from './traffic.ts';

/** Nodes of one database: a majority of two can wait for one. */
const size = 3;

/**
 * ms after the end of a fault in which every node serves again by itself on a machine that does nothing else: a lease of
 * 2 s, its margin of a tenth, and what the torture takes.
 */
export const recoveryMs = 2200 + 1500;

/** ms between two looks whether a node serves again. */
const pollMs = 20;

interface Options {
  random: Random;
  load: Load;
  faults: readonly Fault[];
  /** How many times as long as its least time a fault may last. */
  stretch: number;
  /**
   * ms after the end of a fault in which every node must serve again, or it is a violation. Without it as long as it
   * takes: how long that is depends on what else the machine does.
   */
  recoveryMs?: number;
  /** ms that a phase goes on when every node serves again. */
  lingerMs: number;
  /** Asked after each round of all faults. */
  isEnough: (operations: number, ms: number) => boolean;
  /** Told of each phase when it has ended. */
  progress: (fault: Fault, counts: Counts) => void;
}

export interface Outcome {
  /** In the order of the faults. */
  byFault: Map<Fault, Counts>;
  total: Counts;
  /** Of the traffic, in ms. */
  ms: number;
}

/** Tortures a cluster of its own with one fault after the other. */
export async function torture(options: Options): Promise<Outcome> {
  const cluster = await Cluster.start(size);
  try {
    const traffic = new Traffic(options.random, options.load);
    await traffic.start(cluster.nodes);
    return await rounds(cluster, traffic, options);
  } finally {
    await cluster.stop();
  }
}

async function rounds(cluster: Cluster, traffic: Traffic, options: Options): Promise<Outcome> {
  const { faults, isEnough } = options;
  const byFault = new Map(faults.map((fault) => [fault, new Counts()]));
  const begun = performance.now();
  const sum = () => {
    const total = new Counts();
    for (const counts of byFault.values()) total.add(counts);
    return total;
  };
  const phases: [Fault, Counts][] = [];
  do {
    for (const fault of faults) {
      const counts = new Counts();
      traffic.counts = counts;
      await phase(fault, cluster, traffic, options);
      options.progress(fault, counts);
      phases.push([fault, counts]);
    }
  } while (!isEnough(operationsOf(phases), performance.now() - begun));
  await traffic.stop();
  // Only now: the stop gives the last phase what was still under way.
  for (const [fault, counts] of phases) byFault.get(fault)?.add(counts);
  return { byFault, total: sum(), ms: performance.now() - begun };
}

function operationsOf(phases: readonly [Fault, Counts][]): number {
  return phases.reduce((sum, [, { operations }]) => sum + operations, 0);
}

async function phase(fault: Fault, cluster: Cluster, traffic: Traffic, options: Options): Promise<void> {
  const { random, stretch, lingerMs } = options;
  const { counts } = traffic;
  const node = random.pick(cluster.nodes);
  const failing = mayFail(fault, node, cluster);
  for (const { outage } of failing) outage.begin(performance.now());
  const end = await fault.begin(node, cluster);
  await after(fault.leastMs * (1 + random.next() * (stretch - 1)));
  await end();
  const ended = performance.now();
  const bound = options.recoveryMs;
  if (bound !== undefined) for (const { outage } of failing) outage.end(ended + bound);
  await Promise.all(cluster.nodes.map((one) => recovered(one, traffic)));
  const ms = performance.now() - ended;
  if (bound === undefined) for (const { outage } of failing) outage.end(ended + ms);
  counts.recoveryMs.push(ms);
  if (ms > (bound ?? patience))
    counts.violate(`after ${fault.name} not every node served again within ${bound ?? patience} ms`);
  await after(lingerMs);
  await hasTraffic(counts);
}

/** On a slow machine a short fault can pass before anything of its time was answered. */
async function hasTraffic(counts: Counts): Promise<void> {
  const deadline = performance.now() + patience;
  while ((counts.accepted === 0 || counts.revokesSent === 0) && performance.now() < deadline) {
    await after(pollMs);
  }
}

function mayFail(fault: Fault, node: ClusterNode, { nodes }: Cluster): readonly ClusterNode[] {
  if (fault.mayFail === 'nobody') return [];
  return fault.mayFail === 'all nodes' ? nodes : [node];
}

async function recovered(node: ClusterNode, traffic: Traffic): Promise<void> {
  const since = performance.now();
  while (!(await traffic.isWell(node))) {
    if (performance.now() - since > patience) return;
    await after(pollMs);
  }
}
