import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { NodeEntry } from '@soku/contract/nodes';
import type { NodeStatus } from './node-status.ts';

/** The display name of this process for operators: host and process ID. */
export const processName = `${hostname()}:${process.pid}`;

/**
 * All nodes as one of them sees them, in the order in which they registered.
 *
 * @param silentAfterMs ms of silence after which a node cannot hold a lease
 */
export function listNodes(status: NodeStatus, silentAfterMs: number): NodeEntry[] {
  const own: NodeEntry = {
    id: status.id,
    name: status.name,
    self: true,
    // Used while this node registers again and no heartbeat has returned its row yet.
    state: 'silent',
    lag: status.lag,
    silentMs: 0,
    lease: { remainingMs: Math.round(status.leaseMs) },
  };
  const nodes = status.nodes.map((node): NodeEntry => {
    const silentMs = Math.round(node.silentMs);
    const state = silentMs > silentAfterMs ? 'silent' : 'ready';
    if (node.self) return { ...own, state, silentMs };
    const { id, name } = node;
    const lag = Math.max(0, status.headSeq - node.ackedSeq);
    return { id, name, self: false, state, lag, silentMs, lease: null };
  });
  return nodes.some((node) => node.self) ? nodes : [...nodes, own];
}

const alone: NodeEntry = {
  id: randomUUID(),
  name: processName,
  self: true,
  state: 'ready',
  lag: 0,
  silentMs: 0,
  lease: null,
};

/** The list for SQLite, where this process is the only node. */
export function singleNodeList(): NodeEntry[] {
  return [alone];
}
