/** A position in the change log: that of the newest change. */
export interface LogPosition {
  /** Incremented by each change; the order of the numbers is the order of the commits. */
  seq: number;
  /** Random; distinguishes the change from another with the same number after a failover. */
  token: string;
}

/** Whether two heads refer to the same change. */
export function isSamePosition(one: LogPosition, other: LogPosition): boolean {
  return one.seq === other.seq && one.token === other.token;
}

/** The newest change that a node has evicted from its cache. */
export interface Acknowledgment extends LogPosition {
  nodeId: string;
  /** The node's previous renewal. It proves that the sender can read the table: any role can notify. */
  renewal: string;
}

/** An entry of the change log: what every node must evict. */
export interface ChangeEntry extends LogPosition {
  kind: 'key' | 'workspace' | 'secret';
  /** ID of the key or the workspace; '' for a secret. */
  subject: string;
  /** SHA-256 of the secrets of the key. */
  hashes: readonly Uint8Array[];
}

/** The row of a registered node, as read in a snapshot. */
export interface NodeRow {
  id: string;
  name: string;
  /** The node has evicted every change up to this one. */
  ackedSeq: number;
  /** Random text that each renewal replaces. While it is unchanged, the node is silent. */
  renewal: string;
}

/** The result of one heartbeat, read from one database snapshot. */
export interface ClusterSnapshot {
  /** Whether this node's row existed and, if the heartbeat carried a renewal, now has it. */
  registered: boolean;
  head: LogPosition;
  /**
   * Changes from the acknowledged one on, ascending, at most 1000. The first is the last applied change, so that its
   * token can be compared; it is absent when pruned.
   */
  changes: readonly ChangeEntry[];
  /** All nodes. This node's own row may show its state before the renewal. */
  nodes: readonly NodeRow[];
  /** Changes when the database restarts, and differs between a primary and its standby. */
  instance: string;
}

/** What a node reads when it registers. */
export interface RegistrationHead extends LogPosition {
  leaseMs: number;
  instance: string;
}

/** `gone`: another call has deleted the row. `renewed`: the row has another renewal, and stays. */
export type FenceResult = 'deleted' | 'gone' | 'renewed';

interface UsageAge {
  /** ms for which uses on this node may be unwritten; undefined if that is unknown. */
  usageAgeMs?: number | undefined;
}

/** A new row of a node. */
export interface Registration extends UsageAge {
  id: string;
  name: string;
  renewal: string;
}

/** What a node sends with a heartbeat. The age is stored only with a renewal. */
export interface Heartbeat extends UsageAge {
  id: string;
  acked: LogPosition;
  renewal: string | undefined;
}

/** The database operations of the protocol. Each rejects within a bounded time if no response arrives. */
export interface ClusterStore {
  /** Commits a new row for a node. */
  register(node: Registration): Promise<void>;
  /** Call it after the row is committed: a node that commits a change after this head then waits for the row. */
  readHead(): Promise<RegistrationHead>;
  /** Whether the database has lost this change. A change that may have been pruned does not count. */
  lacks(position: LogPosition): Promise<boolean>;
  /**
   * A heartbeat, in a single statement: it renews the lease and acknowledges changes in the node's own row, and reads
   * the head, the changes and the nodes. Without a renewal it only reads, so it grants no lease.
   */
  sendHeartbeat(node: Heartbeat): Promise<ClusterSnapshot>;
  /** Deletes a row if its renewal is unchanged. */
  fence(id: string, renewal: string): Promise<FenceResult>;
  /** Deletes the node's own row. */
  leave(id: string): Promise<void>;
}
