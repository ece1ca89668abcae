/** The newest change. */
export interface Head {
  /** Grows by one with each change; the order of the numbers is the order of the commits. */
  seq: number;
  /** Random, created with the change: distinguishes it from a change with the same number after a failover. */
  token: string;
}

/** Whether two heads are the same change. */
export function sameHead(one: Head, other: Head): boolean {
  return one.seq === other.seq && one.token === other.token;
}

/** The newest change that a node has evicted from its cache. */
export interface Acknowledgement extends Head {
  nodeId: string;
  /** The renewal in the node's row until then. It shows that the sender can read that table: any role can notify. */
  renewal: string;
}

/** What other nodes must evict. */
export interface Change extends Head {
  kind: 'key' | 'workspace' | 'secret';
  /** Id of the key or of the workspace; '' for a secret. */
  subject: string;
  /** SHA-256 of the secrets of the key. */
  hashes: readonly Uint8Array[];
}

/** One registered node, as a snapshot shows it. */
export interface NodeRow {
  id: string;
  name: string;
  /** The node has evicted every change up to this one. */
  ackedSeq: number;
  /** Random, new with each renewal: while it is unchanged, the node is silent. */
  renewal: string;
}

/** The result of one exchange, read from one snapshot. */
export interface ClusterSnapshot {
  /** Whether this node's row existed and, if there was a new renewal, now has it. */
  registered: boolean;
  head: Head;
  /**
   * From the acknowledged change on, ascending, at most 1000. The first is the change that was applied last, so that
   * its token can be compared; absent when pruned.
   */
  changes: readonly Change[];
  /** All nodes; this node's own row may be from before the renewal. */
  nodes: readonly NodeRow[];
}

/** The statements of the protocol. Every one rejects within a bounded time if no answer arrives. */
export interface FeedLink {
  /** Commits the row of a node. */
  register(node: { id: string; name: string; renewal: string }): Promise<void>;
  /** Send it after the row is committed: then every change that is missing from this head waits for the row. */
  readHead(): Promise<Head & { leaseMs: number }>;
  /**
   * ONE statement: renews the lease and acknowledges in the own row, and reads head, changes and nodes. Without a
   * renewal it only reads, so it gives no lease.
   */
  exchange(node: { id: string; acked: Head; renewal: string | undefined }): Promise<ClusterSnapshot>;
  /** Deletes a row if its renewal is unchanged. True when the row is gone, deleted by this call or before. */
  fence(id: string, renewal: string): Promise<boolean>;
  /** Deletes the own row. */
  leave(id: string): Promise<void>;
}
