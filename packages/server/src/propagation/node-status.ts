/** The state of a node, for operators. */
export interface NodeStatus {
  id: string;
  name: string;
  registered: boolean;
  /** Remaining ms for which the node may verify from its cache. */
  leaseMs: number;
  appliedSeq: number;
  headSeq: number;
  /** Number of known changes that it has not applied. */
  lag: number;
  nodes: { id: string; name: string; ackedSeq: number; silentMs: number; self: boolean }[];
}
