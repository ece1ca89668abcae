import { allKeys } from '../../packages/server/src/usage/key-range.ts';
import type { PendingUses, SecretCounts } from '../../packages/server/src/usage/pending-uses.ts';

/** Removes all counts like a flush, and returns them. */
export function drain(held: PendingUses): SecretCounts[] {
  Array.from(held.choose(allKeys));
  held.close();
  const all = [...held.closed()].flat();
  held.remove(all);
  return all;
}
