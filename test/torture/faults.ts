import type { Cluster, ClusterNode } from './cluster.ts';

/** Something that goes wrong for a while. */
export interface Fault {
  name: string;
  /** For the report. */
  title: string;
  /** Minimum duration in ms: longer than a lease (2 s) and its margin if leases must expire. */
  minMs: number;
  /** The nodes that may fail during the fault. All others must serve normally. */
  mayFail: 'no node' | 'its node' | 'all nodes';
  /** @returns a function that ends the fault */
  begin(node: ClusterNode, cluster: Cluster): Promise<() => Promise<void> | void> | (() => void);
}

/** How far clocks jump. */
export const hourMs = 3_600_000;

/** Delay in ms in one direction between a node and the database. */
const delayMs = 200;

/** ms: longer than a lease and its margin (2.2 s), so that leases expire and revokes return without the node. */
const longMs = 2500;

export const faults: readonly Fault[] = [
  {
    name: 'none',
    title: 'No fault',
    minMs: 600,
    mayFail: 'no node',
    begin: () => () => undefined,
  },
  {
    name: 'node-frozen',
    title: 'A node is frozen (SIGSTOP) and resumes',
    minMs: longMs,
    mayFail: 'its node',
    begin: (node) => {
      node.freeze();
      return () => node.thaw();
    },
  },
  {
    name: 'node-killed',
    title: 'A node is killed (SIGKILL) and restarted',
    minMs: 600,
    mayFail: 'its node',
    begin: async (node) => {
      await node.kill();
      return () => node.restart();
    },
  },
  ...directions('delayed', 'Delayed by 200 ms', 900, 'no node', (direction) => {
    direction.delay(delayMs);
    return () => direction.delay(0);
  }),
  ...directions('held', 'Held, then released', longMs, 'its node', (direction) => {
    direction.hold();
    return () => direction.release();
  }),
  ...directions('swallowed', 'Dropped silently', longMs, 'its node', (direction, node) => {
    direction.blackhole();
    return () => node.proxy.heal();
  }),
  {
    name: 'cut',
    title: 'All connections of a node to the database are reset, including new ones',
    minMs: longMs,
    mayFail: 'its node',
    begin: ({ proxy }) => {
      proxy.cut();
      return () => proxy.heal();
    },
  },
  {
    name: 'silent',
    title: 'A node is cut off from the database (both directions dropped)',
    minMs: longMs,
    mayFail: 'its node',
    begin: ({ proxy }) => {
      proxy.blackhole();
      return () => proxy.heal();
    },
  },
  {
    name: 'database-crashed',
    title: 'PostgreSQL crashes (SIGKILL of all its processes) and is restarted',
    minMs: 700,
    mayFail: 'all nodes',
    begin: async (_node, { postgres }) => {
      await postgres.crash();
      return () => postgres.start();
    },
  },
  {
    name: 'database-frozen',
    title: 'PostgreSQL is frozen (SIGSTOP) and resumes',
    minMs: longMs,
    mayFail: 'all nodes',
    begin: async (_node, { postgres }) => {
      await postgres.pause();
      return () => postgres.resume();
    },
  },
  {
    name: 'notifications-lost',
    title: 'No node receives notifications',
    minMs: 800,
    mayFail: 'no node',
    begin: (_node, { nodes }) => {
      for (const { notifications } of nodes) notifications.lost = true;
      return () => {
        for (const { notifications } of nodes) notifications.lost = false;
      };
    },
  },
  ...[1, -1].map((sign): Fault => {
    return {
      name: sign > 0 ? 'clock-ahead' : 'clock-back',
      title: `The wall clock of a node jumps ${sign > 0 ? 'ahead' : 'back'} by an hour, then returns`,
      minMs: 500,
      mayFail: 'no node',
      begin: async (node) => {
        await node.moveClock(sign * hourMs);
        return () => node.moveClock(-sign * hourMs);
      },
    };
  }),
];

type Direction = ClusterNode['proxy']['toServer'];

/** A fault of the traffic from a node to the database, and the same fault of the traffic back. */
function directions(
  name: string,
  title: string,
  minMs: number,
  mayFail: Fault['mayFail'],
  begin: (direction: Direction, node: ClusterNode) => () => void,
): Fault[] {
  return [
    {
      name: `requests-${name}`,
      title: `${title}: from a node to the database`,
      minMs,
      mayFail,
      begin: (node) => begin(node.proxy.toServer, node),
    },
    {
      name: `responses-${name}`,
      title: `${title}: from the database to a node`,
      minMs,
      mayFail,
      begin: (node) => begin(node.proxy.toClient, node),
    },
  ];
}
