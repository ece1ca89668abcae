import { testEventType, type Webhook, webhookActions } from '@soku/contract/webhooks';
import { actionGroups, actionLabel } from '../audit/action-labels.ts';

/** What people call a webhook: its description, otherwise the host of its URL. */
export function nameOf({ description, url }: Pick<Webhook, 'description' | 'url'>): string {
  if (description !== '') return description;
  return URL.canParse(url) ? new URL(url).host : url;
}

/** The events that a webhook can receive. */
export const eventGroups = actionGroups
  .map(({ title, actions }) => ({
    title,
    events: actions.filter(({ action }) => webhookActions.includes(action)),
  }))
  .filter(({ events }) => events.length > 0);

/** The events in the order in which they are offered. */
export function inOfferedOrder(events: readonly string[]): string[] {
  const offered = eventGroups.flatMap((group) => group.events.map(({ action }): string => action));
  return events.toSorted((a, b) => offered.indexOf(a) - offered.indexOf(b));
}

/** The label of the type of an event. */
export function eventLabel(type: string): string {
  if (type === testEventType) return 'Test event';
  return actionLabel(type) ?? 'Other event';
}

export function receivesAll(events: readonly string[]): boolean {
  return events.includes('*');
}

/** "All events", "Key created" or "3 events" */
export function summarizeEvents(events: readonly string[]): string {
  const [first, ...others] = events;
  if (first === undefined || receivesAll(events)) return 'All events';
  return others.length === 0 ? eventLabel(first) : `${events.length} events`;
}
