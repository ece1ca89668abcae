/** The newest change. */
export interface Head {
  /** Grows by one with each change; the order of the numbers is the order of the commits. */
  seq: number;
  /** Random, made together with the change: tells it from another one that a failover gave the same number. */
  token: string;
}

/** What other nodes must forget. */
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
  /** Every change up to this one has left the cache of the node. */
  ackedSeq: number;
  /** Random, another one with each renewal: an unchanged one means that the node has not been heard of. */
  renewal: string;
}

/** What one exchange returns, all of one snapshot. */
export interface ClusterSnapshot {
  /** Whether this node's row was there, and now has the new renewal. */
  registered: boolean;
  head: Head;
  /**
   * From the sent ackedSeq on, ascending, at most 1000. The first is the change that was applied last, so that
   * its token can be compared; absent when pruned.
   */
  changes: readonly Change[];
  /** All of them; the own row may show the state before. */
  nodes: readonly NodeRow[];
}

/** The statements of the protocol. Every one rejects within a bounded time if no answer arrives. */
export interface FeedLink {
  /** Commits the row of a node. */
  register(node: { id: string; name: string; renewal: string }): Promise<void>;
  /** To be sent after the row is committed: a change that this head lacks will wait for the row. */
  readHead(): Promise<Head & { leaseMs: number }>;
  /** ONE statement: renews and acknowledges on the own row, and reads head, changes and nodes. */
  exchange(node: { id: string; ackedSeq: number; renewal: string }): Promise<ClusterSnapshot>;
  /** Deletes a row only as it was seen. True when this removed it, or when there is none. */
  fence(id: string, renewal: string): Promise<boolean>;
  /** Deletes the own row. */
  leave(id: string): Promise<void>;
}
