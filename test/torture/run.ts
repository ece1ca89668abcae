import { setTimeout as after } from 'node:timers/promises';
import type { Random } from '../support/random.ts';
import { testTimeoutMs } from '../support/test-timeout.ts';
import { Cluster, type ClusterNode } from './cluster.ts';
import { Counts } from './counts.ts';
import type { Fault } from './faults.ts';
import { type Load, Traffic } from './traffic.ts';

/** Number of nodes: two healthy ones can wait for a failing one. */
const size = 3;

/**
 * ms after the end of a fault within which every node must serve again by itself on an otherwise idle machine: a lease
 * of 2 s, its margin of a tenth, and time for the load of this test.
 */
export const recoveryMs = 2200 + 1500;

/** ms between two checks whether a node serves again. */
const pollMs = 20;

interface Options {
  random: Random;
  load: Load;
  faults: readonly Fault[];
  /** Maximum duration of a fault, as a multiple of its minimum duration. */
  stretch: number;
  /**
   * ms after the end of a fault within which every node must serve again; later is a violation. Absent: no limit,
   * because the time depends on the load of the machine.
   */
  recoveryMs?: number;
  /** ms for which a phase continues after every node serves again. */
  lingerMs: number;
  /** Called after each round of all faults. */
  isEnough: (operations: number, ms: number) => boolean;
  /** Called at the end of each phase. */
  progress: (fault: Fault, counts: Counts) => void;
}

export interface TortureResult {
  /** In the order of the faults. */
  byFault: Map<Fault, Counts>;
  total: Counts;
  /** Duration of the traffic in ms. */
  ms: number;
}

/** Starts a cluster and runs one fault after another on it. */
export async function torture(options: Options): Promise<TortureResult> {
  const cluster = await Cluster.start(size);
  try {
    const traffic = new Traffic(options.random, options.load);
    await traffic.start(cluster.nodes);
    return await rounds(cluster, traffic, options);
  } finally {
    await cluster.stop();
  }
}

async function rounds(cluster: Cluster, traffic: Traffic, options: Options): Promise<TortureResult> {
  const { faults, isEnough } = options;
  const byFault = new Map(faults.map((fault) => [fault, new Counts()]));
  const started = performance.now();
  const sum = () => {
    const total = new Counts();
    for (const counts of byFault.values()) total.add(counts);
    return total;
  };
  const phases: [Fault, Counts][] = [];
  do {
    for (const fault of faults) {
      const counts = new Counts();
      traffic.clients.counts = counts;
      await phase(fault, cluster, traffic, options);
      options.progress(fault, counts);
      phases.push([fault, counts]);
    }
  } while (!isEnough(operationsOf(phases), performance.now() - started));
  await traffic.clients.stop();
  // After the stop, which adds the outstanding requests to the last phase.
  for (const [fault, counts] of phases) byFault.get(fault)?.add(counts);
  return { byFault, total: sum(), ms: performance.now() - started };
}

function operationsOf(phases: readonly [Fault, Counts][]): number {
  return phases.reduce((sum, [, { operations }]) => sum + operations, 0);
}

async function phase(fault: Fault, cluster: Cluster, traffic: Traffic, options: Options): Promise<void> {
  const { random, stretch, lingerMs } = options;
  const { counts } = traffic.clients;
  const node = random.pick(cluster.nodes);
  const failing = mayFail(fault, node, cluster);
  for (const { outage } of failing) outage.begin(performance.now());
  const end = await fault.begin(node, cluster);
  await after(fault.minMs * (1 + random.next() * (stretch - 1)));
  await end();
  const ended = performance.now();
  const bound = options.recoveryMs;
  if (bound !== undefined) for (const { outage } of failing) outage.end(ended + bound);
  await Promise.all(cluster.nodes.map((one) => recovered(one, traffic)));
  const ms = performance.now() - ended;
  if (bound === undefined) for (const { outage } of failing) outage.end(ended + ms);
  counts.recoveryMs.push(ms);
  if (ms > (bound ?? testTimeoutMs))
    counts.addViolation(
      `after ${fault.name}, not every node served again within ${bound ?? testTimeoutMs} ms`,
    );
  await after(lingerMs);
  await hasTraffic(counts);
}

/** Waits for responses: on a slow machine a short fault can end before any. */
async function hasTraffic(counts: Counts): Promise<void> {
  const deadline = performance.now() + testTimeoutMs;
  while ((counts.accepted === 0 || counts.revokesSent === 0) && performance.now() < deadline) {
    await after(pollMs);
  }
}

function mayFail(fault: Fault, node: ClusterNode, { nodes }: Cluster): readonly ClusterNode[] {
  if (fault.mayFail === 'no node') return [];
  return fault.mayFail === 'all nodes' ? nodes : [node];
}

async function recovered(node: ClusterNode, traffic: Traffic): Promise<void> {
  const since = performance.now();
  while (!(await traffic.isServing(node))) {
    if (performance.now() - since > testTimeoutMs) return;
    await after(pollMs);
  }
}
