/** Converts the From and To fields, which are in the user's time zone, to the bounds of the API and back. */
import { toInstants, userTimeZone } from '../../../dates/zone.ts';
import { toDateTimeInput } from '../api/expiry.ts';

/** ISO 8601, UTC. Without bounds, any time. */
export interface Period {
  since?: string;
  /** Exclusive. */
  until?: string;
}

/**
 * @param from the value of an <input type="datetime-local">; '' for no bound
 * @param to the last minute of the period, inclusive
 */
export function parsePeriod(
  from: string,
  to: string,
  zone = userTimeZone,
): Period | { problems: Record<string, string> } {
  const [start, end] = [instantsIn(from, zone), instantsIn(to, zone)];
  if (start === undefined || end === undefined) {
    return { problems: { ...(!start && { from: invalidTime }), ...(!end && { to: invalidTime }) } };
  }
  // The period includes both occurrences of an hour that occurs twice.
  const [first, last] = [start.at(0), end.at(-1)];
  if (first !== undefined && last !== undefined && first > last)
    return { problems: { to: 'Choose a time after "From".' } };
  return {
    ...(first !== undefined && { since: new Date(first).toISOString() }),
    ...(last !== undefined && { until: new Date(last + minute).toISOString() }),
  };
}

const minute = 60_000;
const invalidTime = 'Enter a valid date and time, or clear the field.';

/** @returns an empty array for no bound; undefined if the text is not a time, or is a time that the clocks skip */
function instantsIn(text: string, zone: string): number[] | undefined {
  if (text === '') return [];
  const digits = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)/.exec(text)?.slice(1).map(Number);
  if (digits === undefined) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minutes = 0] = digits;
  if (year < 1970) return undefined;
  const found = toInstants({ year, month, day, hour, minute: minutes }, zone);
  return found.length === 0 ? undefined : found;
}

/** The value of a field for a bound in the page's address, where `until` is exclusive; the fields are inclusive. */
export function toPeriodInput(instant: string | undefined, exclusive = false): string {
  return instant === undefined ? '' : toDateTimeInput(new Date(Date.parse(instant) - (exclusive ? 1 : 0)));
}
