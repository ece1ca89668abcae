import type { Cluster, ClusterNode } from './cluster.ts';

/** Something that goes wrong for a while. */
export interface Fault {
  name: string;
  /** For the report. */
  title: string;
  /** ms that it lasts at least: a lease (2 s) and its margin where leases shall run out. */
  minMs: number;
  /** Who may fail to answer meanwhile; all others must serve as always. */
  mayFail: 'nobody' | 'its node' | 'all nodes';
  /** @returns ends it */
  begin(node: ClusterNode, cluster: Cluster): Promise<() => Promise<void> | void> | (() => void);
}

const hourMs = 3_600_000;

/** Between a node and the database, in both directions. ms. */
const delayMs = 200;

/** ms: longer than a lease and its margin (2.2 s), so that leases run out and revokes return without the node. */
const longMs = 2500;

export const faults: readonly Fault[] = [
  {
    name: 'none',
    title: 'No fault',
    minMs: 600,
    mayFail: 'nobody',
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
      return () => node.startAgain();
    },
  },
  ...directions('delayed', 'Delayed by 200 ms', 900, 'nobody', (direction) => {
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
    mayFail: 'nobody',
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
      mayFail: 'nobody',
      begin: async ({ clock }) => {
        await clock.move(sign * hourMs);
        return () => clock.move(-sign * hourMs);
      },
    };
  }),
];

type Direction = ClusterNode['proxy']['toServer'];

/** A fault of what a node sends to the database, and the same of what it receives. */
function directions(
  name: string,
  title: string,
  leastMs: number,
  mayFail: Fault['mayFail'],
  begin: (direction: Direction, node: ClusterNode) => () => void,
): Fault[] {
  return [
    {
      name: `requests-${name}`,
      title: `${title}: from a node to the database`,
      minMs: leastMs,
      mayFail,
      begin: (node) => begin(node.proxy.toServer, node),
    },
    {
      name: `answers-${name}`,
      title: `${title}: from the database to a node`,
      minMs: leastMs,
      mayFail,
      begin: (node) => begin(node.proxy.toClient, node),
    },
  ];
}
