import { msPerDay } from '@soku/contract/instant';

// When an idle key is warned and disabled. Times are epoch ms.

/** What happens to an idle key: two warnings, then it is disabled. */
export type IdleStep = 'first' | 'last' | 'disable';

/** The warnings that a key has had; null: not yet. */
export interface Warnings {
  first: number | null;
  last: number | null;
}

/** ms before the end at which each warning is due: 14 and 3 days, or less if the key is disabled after a few days. */
function leadsOf(days: number): Record<'first' | 'last', number> {
  const end = days * msPerDay;
  return { first: Math.min(14 * msPerDay, end / 2), last: Math.min(3 * msPerDay, end / 4) };
}

/** The time from which a key is warned about. @param since when the key became idle */
export function firstWarningAt(since: number, days: number): number {
  return since + days * msPerDay - leadsOf(days).first;
}

/**
 * The earliest time at which the key is disabled. After each warning, the full notice period passes, even if the warning is
 * late, such as for a key that was idle for longer when the policy was set.
 */
export function disableAt(since: number, days: number, { first, last }: Warnings): number {
  const leads = leadsOf(days);
  return Math.max(
    since + days * msPerDay,
    first === null ? 0 : first + leads.first,
    last === null ? 0 : last + leads.last,
  );
}

/**
 * The step that is due for a key, if any.
 *
 * @param since when the key became idle
 * @param days of the policy
 */
export function dueStep(since: number, days: number, warnings: Warnings, now: number): IdleStep | undefined {
  const { first, last } = warnings;
  if (first === null) return now >= firstWarningAt(since, days) ? 'first' : undefined;
  const end = disableAt(since, days, warnings);
  if (last === null) return now >= end - leadsOf(days).last ? 'last' : undefined;
  return now >= end ? 'disable' : undefined;
}
