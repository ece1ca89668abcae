/** The maximum lifetime of the keys of a workspace. */
import { formatDays } from './list/filters.ts';

/** "90 days" or "none", within a sentence or alone. */
export function formatLifetime(days: number | null): string {
  return days === null ? 'none' : formatDays(days);
}
