import { allKeys } from '../../packages/server/src/usage/key-range.ts';
import type { PendingUses, SecretCounts } from '../../packages/server/src/usage/pending-uses.ts';

/** Removes all counts like a flush, and returns them. */
export function drain(pending: PendingUses): SecretCounts[] {
  Array.from(pending.choose(allKeys));
  pending.close();
  const all = [...pending.closed()].flat();
  pending.remove(all);
  return all;
}
