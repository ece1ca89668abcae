import type { ReadTicket, ReplicatedCache } from '../../packages/server/src/propagation/change-log.ts';
import type { Clock } from '../../packages/server/src/propagation/clock.ts';
import type { ClusterStore, LogPosition } from '../../packages/server/src/propagation/cluster-store.ts';
import type { LeaseTiming } from '../../packages/server/src/propagation/lease.ts';
import type { NodeOptions, NodeParts, VerifierNode } from '../../packages/server/src/propagation/node.ts';

/** A deliberate mistake. It can replace every input of a node, and every call to it. */
export interface Mutation {
  /** The rule of the protocol that it omits. */
  name: string;
  /** The first seed whose schedule exposed the mistake. It is tried first, and may change with the protocol. */
  exposedBy: number;
  store?(store: ClusterStore, name: string): ClusterStore;
  clock?(clock: Clock): Clock;
  cache?(cache: ReplicatedCache): ReplicatedCache;
  options?: Partial<NodeOptions>;
  parts?(clock: Clock, timing: LeaseTiming): Partial<NodeParts>;
  holds?(node: VerifierNode, wallNow: number): boolean;
  mayCache?(node: VerifierNode, ticket: ReadTicket, head: LogPosition): boolean;
  trusts?(): boolean;
  settle?(node: VerifierNode, sentAt: number, receivedAt: number): Promise<unknown>;
}
