/** How busy several keys are. */
import type { ListedKey } from '@soku/contract/keys';
import { relativeTime } from '../../../../dates/dates.ts';
import { formatRequestCount } from './count-keys.ts';

/** "1,204 requests in the last 24 hours, last used 2 minutes ago" */
export function describeUse(keys: readonly ListedKey[]): string {
  const accepted = keys.reduce((sum, { usage }) => sum + (usage?.accepted ?? 0), 0);
  const last = keys.reduce((latest, { lastUsedAt }) => laterOf(latest, lastUsedAt), '');
  if (last === '') return 'never used';
  return `${formatRequestCount(accepted)} in the last 24 hours, last used ${relativeTime(last)}`;
}

/** Times of the API have one format, so that their texts can be compared. */
function laterOf(a: string, b: string | null): string {
  return b !== null && b > a ? b : a;
}

/** The busiest keys first, then those that were used last. */
export function sortBusiestFirst(keys: readonly ListedKey[]): ListedKey[] {
  return keys.toSorted(
    (a, b) =>
      (b.usage?.accepted ?? 0) - (a.usage?.accepted ?? 0) ||
      (b.lastUsedAt ?? '').localeCompare(a.lastUsedAt ?? ''),
  );
}
