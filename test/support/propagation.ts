import type { Database } from '../../packages/server/src/database/open.ts';
import { clusterPropagation } from '../../packages/server/src/propagation/cluster-propagation.ts';
import type { Propagation } from '../../packages/server/src/propagation/propagation.ts';
import { singleProcessPropagation } from '../../packages/server/src/propagation/single-process.ts';

/**
 * Propagation on a real database, with a stub cache and a stub journal.
 *
 * @param journaled receives the hashes that are appended to the journal
 */
export function propagationOf(
  database: Database,
  journaled: (hashes: readonly Uint8Array[]) => void = () => undefined,
): Propagation {
  const append = async (hashes: readonly Uint8Array[]) => journaled(hashes);
  const journal = { append, onReapplied: () => undefined };
  if (database.kind === 'sqlite') {
    return singleProcessPropagation(database, { evict: () => 0, evictWorkspace: () => 0 }, journal);
  }
  const settle = async () => ({ nodes: 1, waitedMs: 0 });
  return clusterPropagation(database, { settle }, { monotonic: () => 0, wall: () => 0 }, journal);
}
