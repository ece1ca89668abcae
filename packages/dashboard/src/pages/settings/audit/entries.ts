import type { AuditEvent, AuditPage } from '@soku/contract/audit';
import { formatNumber } from '../../../components/format-number.ts';

/** Removes duplicates: if entries are added while pages are loading, an entry can be on two pages. */
export function eventsOf(pages: AuditPage[]): AuditEvent[] {
  const events = new Map(pages.flatMap((page) => page.data).map((event) => [event.id, event]));
  return [...events.values()];
}

/** "Newest 50 entries", or "3 entries" if that is all. */
export function countEntries(shown: number, more: boolean): string {
  if (shown === 0) return 'No entries';
  const count = shown === 1 ? '1 entry' : `${formatNumber(shown)} entries`;
  return more ? `Newest ${count}` : count;
}
