import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { NodeEntry } from '@soku/contract/nodes';
import type { NodeStatus } from './node.ts';

/** What operators call this process: it tells the host, and which one of the processes there. */
export const processName = `${hostname()}:${process.pid}`;

/**
 * All nodes as one of them sees them, in the order in which they joined.
 *
 * @param silentAfterMs ms after which a node that was not heard of can have no lease any more
 */
export function listNodes(status: NodeStatus, silentAfterMs: number): NodeEntry[] {
  const own: NodeEntry = {
    id: status.id,
    name: status.name,
    self: true,
    // It registers anew, and no answer has shown its row yet.
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

/** The one process that has a file. */
export function onlyNode(): NodeEntry[] {
  return [alone];
}
