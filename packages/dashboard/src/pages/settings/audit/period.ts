/** From and To as somebody types them, in the reader's zone, and as the API takes them. */
import { instantsOf, readerZone } from '../../../dates/zone.ts';
import { localInput } from '../api/expiry.ts';

/** ISO 8601, UTC. Neither: any time. */
export interface Period {
  since?: string;
  /** Exclusive. */
  until?: string;
}

/**
 * @param from of an <input type="datetime-local">; '' when there is no bound
 * @param to the last minute that belongs to the period
 */
export function periodOf(
  from: string,
  to: string,
  zone = readerZone,
): Period | { problems: Record<string, string> } {
  const [start, end] = [instantsIn(from, zone), instantsIn(to, zone)];
  if (start === undefined || end === undefined) {
    return { problems: { ...(!start && { from: notATime }), ...(!end && { to: notATime }) } };
  }
  // An hour that comes twice belongs to the period as a whole.
  const [first, last] = [start.at(0), end.at(-1)];
  if (first !== undefined && last !== undefined && first > last)
    return { problems: { to: 'Choose a time after From.' } };
  return {
    ...(first !== undefined && { since: new Date(first).toISOString() }),
    ...(last !== undefined && { until: new Date(last + minute).toISOString() }),
  };
}

const minute = 60_000;
const notATime = 'Enter a date and a time that exist, or neither.';

/** @returns none when there is no bound; undefined when the text is no time, or one that the clocks skip */
function instantsIn(text: string, zone: string): number[] | undefined {
  if (text === '') return [];
  const digits = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)/.exec(text)?.slice(1).map(Number);
  if (digits === undefined) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minutes = 0] = digits;
  if (year < 1970) return undefined;
  const found = instantsOf({ year, month, day, hour, minute: minutes }, zone);
  return found.length === 0 ? undefined : found;
}

/** What the fields show for the bounds of an address. `until` is exclusive there, the last minute here. */
export function inputOf(instant: string | undefined, exclusive = false): string {
  return instant === undefined ? '' : localInput(new Date(Date.parse(instant) - (exclusive ? 1 : 0)));
}
